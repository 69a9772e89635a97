/** Chooses and starts the tfjs backend: the native runtime when it is installed, else wasm. */

import util from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { isNativeInstalled, TENSORFLOW_VERSION, TFJS_VERSION } from './native-runtime.ts';

export type BackendName = 'tensorflow' | 'wasm' | 'cpu';

/** What computes. */
export interface BackendInfo {
  readonly name: BackendName;
  /** For people, for instance `native TensorFlow 2.21 (oneDNN)`. */
  readonly description: string;
}

/** The backend cannot be used; the message says what to do. */
export class BackendError extends Error {
  override readonly name = 'BackendError';
}

/** The backend that {@link initBackend} would choose, without loading it. */
export function chooseBackend(requested?: BackendName): BackendInfo {
  const name = requested ?? (isNativeInstalled() ? 'tensorflow' : 'wasm');
  return { name, description: describe(name) };
}

/**
 * Loads the backend and makes it tfjs's current one. Once a process.
 * @param options.backend overrides the choice.
 * @param options.log told in one line what a fallback costs.
 * @throws BackendError when the requested backend is not installed, or tfjs is not the version we know.
 */
export async function initBackend({
  backend,
  log,
}: {
  backend?: BackendName | undefined;
  log: (line: string) => void;
}): Promise<BackendInfo> {
  if (tf.version_core !== TFJS_VERSION) {
    throw new BackendError(
      `tfjs-core is ${tf.version_core}, but engine internals of ${TFJS_VERSION} are used: run npm ci`,
    );
  }
  // tfjs-core alone has no gradients; this package registers them (and the cpu backend).
  await import('@tensorflow/tfjs');
  const info = chooseBackend(backend);
  switch (info.name) {
    case 'tensorflow':
      await loadNative();
      break;
    case 'wasm':
      if (backend === undefined) {
        log(
          'The native runtime is not installed: training on wasm, about 15 times slower. To change that: npm run setup',
        );
      }
      await (await import('./wasm.ts')).loadWasm();
      break;
    case 'cpu':
      break;
  }
  await tf.setBackend(info.name);
  await tf.ready();
  return info;
}

function describe(name: BackendName): string {
  switch (name) {
    case 'tensorflow': {
      const [major, minor] = TENSORFLOW_VERSION.split('.');
      return `native TensorFlow ${major}.${minor}${oneDnn() ? ' (oneDNN)' : ''}`;
    }
    case 'wasm':
      return `tfjs ${TFJS_VERSION} wasm`;
    case 'cpu':
      return `tfjs ${TFJS_VERSION} cpu`;
  }
}

/** Off only when the user says so: about twice as fast, and it changes rounding. */
const oneDnn = (): boolean => process.env['TF_ENABLE_ONEDNN_OPTS'] !== '0';

async function loadNative(): Promise<void> {
  if (!isNativeInstalled()) {
    throw new BackendError('backend tensorflow is not installed: run npm run setup, or choose wasm');
  }
  process.env['TF_ENABLE_ONEDNN_OPTS'] ??= '1';
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '3';
  // tfjs-node 4.22 calls two functions that Node 24 no longer has.
  const legacy = util as unknown as Record<string, (value: unknown) => boolean>;
  legacy['isNullOrUndefined'] ??= (value) => value === null || value === undefined;
  legacy['isArray'] ??= (value) => Array.isArray(value);
  await import('@tensorflow/tfjs-node');
  correctNativeRound();
}

/** TensorFlow 2.21 rounds int32 tensors to zero; they are whole already. */
function correctNativeRound(): void {
  const stock = tf.getKernel('Round', 'tensorflow');
  tf.unregisterKernel('Round', 'tensorflow');
  tf.registerKernel({
    ...stock,
    kernelFunc: (args) => {
      const x = args.inputs['x'] as tf.Tensor;
      return x.dtype === 'int32' ? tf.engine().runKernel('Identity', { x }) : stock.kernelFunc(args);
    },
  });
}
