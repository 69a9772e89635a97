/** Chooses and starts the tfjs backend: the native runtime when it is installed, else wasm. */

import * as tf from '@tensorflow/tfjs-core';
import { REINSTALL, SET_UP } from '../resource/installation.ts';
import { BackendError } from './errors.ts';
import { loadNative, usesGpu, usesOneDnn } from './native-load.ts';
import {
  addonFile,
  gpusInMachine,
  installedRuntime,
  isNativeInstalled,
  TENSORFLOW_VERSION,
  TFJS_VERSION,
  WASM_COST,
} from './native-runtime.ts';

export type BackendName = 'tensorflow' | 'wasm' | 'cpu';

/** What computes. */
export interface BackendInfo {
  readonly name: BackendName;
  /** TensorFlow's version where that computes, else tfjs's. */
  readonly version: string;
  /** Whether TensorFlow uses oneDNN. Recorded with results, because it changes rounding. */
  readonly oneDnn: boolean;
  /** The build for CUDA has this too: whether a GPU computes. Undefined for all others. */
  readonly gpu?: boolean;
  /** For people, for instance `native TensorFlow 2.21 (oneDNN)`. */
  readonly description: string;
}

/** The backends that can be loaded here, the fastest first. */
export const installedBackends = (): BackendName[] => [
  ...(isNativeInstalled() ? (['tensorflow'] as const) : []),
  'wasm',
  'cpu',
];

/** The backend that {@link initBackend} would choose, without loading it. */
export function chooseBackend(requested?: BackendName): BackendInfo {
  const name = requested ?? (isNativeInstalled() ? 'tensorflow' : 'wasm');
  if (name !== 'tensorflow') {
    return { name, version: TFJS_VERSION, oneDnn: false, description: `tfjs ${TFJS_VERSION} ${name}` };
  }
  return nativeInfo(installedRuntime() === 'cuda' ? gpusInMachine() > 0 : undefined);
}

/** @param gpu of the build for CUDA: whether a GPU computes. */
function nativeInfo(gpu: boolean | undefined): BackendInfo {
  const oneDnn = usesOneDnn();
  const [major, minor] = TENSORFLOW_VERSION.split('.');
  const cuda = gpu === undefined ? [] : [gpu ? 'CUDA' : 'CUDA without a GPU'];
  const how = [...cuda, ...(oneDnn ? ['oneDNN'] : [])].join(', ');
  return {
    ...({ name: 'tensorflow', version: TENSORFLOW_VERSION, oneDnn } as const),
    ...(gpu !== undefined && { gpu }),
    description: `native TensorFlow ${major}.${minor}${how === '' ? '' : ` (${how})`}`,
  };
}

/** In one line what it costs that {@link initBackend} would choose wasm, unless that is what was asked for. */
export function fallbackNotice(requested?: BackendName): string | undefined {
  if (requested !== undefined || chooseBackend().name !== 'wasm') return undefined;
  return `no native TensorFlow here, so training runs on wasm, ${WASM_COST}. To change that: ${SET_UP}`;
}

/**
 * Loads the backend, if it is not loaded, and makes it tfjs's current one.
 * @param options.backend overrides the choice; `cpu` is for tiny tests only.
 * @param options.log told in one line what a fallback costs.
 * @throws BackendError
 */
export async function initBackend({
  backend,
  log,
}: {
  backend?: BackendName | undefined;
  log: (line: string) => void;
}): Promise<BackendInfo> {
  checkTfjsVersion(tf.version_core);
  const info = chooseBackend(backend);
  if (info.name === 'tensorflow' && !isNativeInstalled()) {
    throw new BackendError('NOT_INSTALLED', `backend tensorflow is not installed: ${SET_UP}, or choose wasm`);
  }
  const notice = fallbackNotice(backend);
  if (notice !== undefined) log(notice);
  try {
    // tfjs-core has no gradients; only this package registers them in Node. It brings the cpu backend.
    await import('@tensorflow/tfjs');
    await load(info.name);
    if (await tf.setBackend(info.name)) return asItIs(info, log);
  } catch (error) {
    throw loadFailed(info, error);
  }
  throw loadFailed(info, new Error('tfjs could not initialise it'));
}

/** Of the build for CUDA only TensorFlow itself knows whether it has found a GPU that it can use. */
function asItIs(info: BackendInfo, log: (line: string) => void): BackendInfo {
  if (info.gpu === undefined) return info;
  const gpu = usesGpu();
  if (!gpu) log('TensorFlow for CUDA sees no GPU that it can use, so training runs on the processor');
  return nativeInfo(gpu);
}

/** @throws BackendError TFJS_VERSION unless `found` is the version whose internals are used. */
export function checkTfjsVersion(found: string): void {
  if (found === TFJS_VERSION) return;
  throw new BackendError(
    'TFJS_VERSION',
    `tfjs-core is ${found}, but internals of ${TFJS_VERSION} are used: ${REINSTALL}`,
  );
}

async function load(name: BackendName): Promise<void> {
  switch (name) {
    case 'tensorflow':
      return loadNative();
    case 'wasm':
      return (await import('./wasm.ts')).loadWasm();
    case 'cpu':
      // Its first use prints advice to install tfjs-node.
      (tf.findBackend('cpu') as tf.KernelBackend & { firstUse: boolean }).firstUse = false;
  }
}

function loadFailed({ name }: BackendInfo, cause: unknown): BackendError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const remedy = name === 'tensorflow' ? `rm ${addonFile()} && ${SET_UP}, or choose wasm` : REINSTALL;
  return new BackendError('LOAD_FAILED', `backend ${name} does not start: ${why}. To repair it: ${remedy}`, {
    cause,
  });
}
