/** The wasm backend in Node, with the kernels that it lacks or gets wrong (`wasm-kernels/`). */

import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { registerWasmKernels } from './wasm-kernels/register.ts';

let loaded = false;

/** Registers the backend; `tf.setBackend('wasm')` starts it and makes it the current one. */
export function loadWasm(): void {
  if (loaded) return;
  loaded = true;
  const folder = dirname(
    createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json'),
  );
  setWasmPaths(join(folder, 'wasm-out') + sep);
  // Threads need a browser's worker; in Node their start prints errors.
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  registerWasmKernels();
}
