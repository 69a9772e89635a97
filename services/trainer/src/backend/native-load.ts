/** Loads the native runtime into this process: the backend `tensorflow` of tfjs. Once a process. */

import { createRequire } from 'node:module';
import { join } from 'node:path';
import util from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { replaceReshape } from './native-reshape.ts';
import { kernelsFile, libraryLinks, quietLoaderFile } from './native-runtime.ts';

const LIBRARY = 'libtensorflow_cc.so.2';

/** Whether TensorFlow uses oneDNN. Off only when the user says so: about twice as fast, and it changes rounding. */
export const usesOneDnn = (): boolean => !/^(0|false)$/i.test(process.env.TF_ENABLE_ONEDNN_OPTS ?? '1');

/** Whether a GPU computes; for the build that can, once it is loaded. */
export const usesGpu = (): boolean =>
  (tf.findBackend('tensorflow') as unknown as { readonly isUsingGpuDevice: boolean }).isUsingGpuDevice;

/** The compiled `quiet-load.cc`. */
interface Loader {
  load(file: string): void;
}

let loading: Promise<void> | undefined;

/** Registers the backend; `tf.setBackend('tensorflow')` makes it the current one. */
export function loadNative(): Promise<void> {
  loading ??= load();
  return loading;
}

async function load(): Promise<void> {
  process.env.TF_ENABLE_ONEDNN_OPTS ??= '1';
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '3';
  // Each trial is a process of its own: the first would take all memory of a GPU from the others.
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true';
  const { load: loadLibrary } = createRequire(import.meta.url)(quietLoaderFile()) as Loader;
  // Before the addon does, without what it prints.
  if (process.env.TF_CPP_MIN_LOG_LEVEL !== '0') loadLibrary(join(libraryLinks(), LIBRARY));
  defineLegacyUtilities();
  await import('@tensorflow/tfjs-node');
  loadLibrary(kernelsFile());
  correctRound();
  replaceReshape();
}

/** tfjs-node 4.22 calls two functions of which Node 24 has dropped one and warns of the other. */
function defineLegacyUtilities(): void {
  Object.assign(util, {
    isNullOrUndefined: (value: unknown) => value === null || value === undefined,
    isArray: Array.isArray,
  });
}

/** TensorFlow 2.21 rounds int32 tensors to zero; they are whole already. */
function correctRound(): void {
  const stock = tf.getKernel('Round', 'tensorflow');
  tf.unregisterKernel('Round', 'tensorflow');
  tf.registerKernel({
    ...stock,
    kernelFunc: (args) => {
      const x = args.inputs.x as tf.Tensor;
      return x.dtype === 'int32' ? tf.engine().runKernel('Identity', { x }) : stock.kernelFunc(args);
    },
  });
}
