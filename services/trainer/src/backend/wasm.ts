/** The wasm backend in Node, with the kernels that it lacks or gets wrong (`wasm-kernels.ts`). */

import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { registerWasmKernels } from './wasm-kernels.ts';

/** Registers the backend; `tf.setBackend('wasm')` starts it. Once a process. */
export async function loadWasm(): Promise<void> {
  const folder = dirname(
    createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json'),
  );
  setWasmPaths(join(folder, 'wasm-out') + sep);
  // Threads need a browser's worker; in Node their start prints errors.
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  registerWasmKernels();
}
