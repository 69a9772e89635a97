/**
 * The only file that uses private members of the tfjs engine: a synchronous backend switch, and bookkeeping that the
 * public functions lack. Checked against the version whose members these are.
 */

import * as tf from '@tensorflow/tfjs-core';
import { TFJS_VERSION } from '../backend/native-runtime.ts';
import { REINSTALL } from '../resource/installation.ts';
import { DifferentiationError } from './errors.ts';

/** Attributes of a kernel call. */
export type Attributes = tf.NamedAttrMap;

/** The members of tfjs-core 4.22's `Engine` that its declarations hide. */
interface EngineInternals {
  backendName: string | null;
  backendInstance: tf.KernelBackend | null;
  registry: Record<string, tf.KernelBackend>;
  initializeBackend(name: string): { success: boolean };
  track(tensor: tf.Tensor): tf.Tensor;
  state: { gradientDepth: number; activeTape: { saved: tf.Tensor[] }[] | null };
}

let checked = false;

function internals(): EngineInternals {
  if (!checked && tf.version_core !== TFJS_VERSION) {
    throw new DifferentiationError(
      'TFJS_VERSION',
      `tfjs-core ${tf.version_core} is loaded, but internals of ${TFJS_VERSION} are used: run ${REINSTALL}`,
    );
  }
  checked = true;
  return tf.engine() as unknown as EngineInternals;
}

/** Name of the backend in use. */
export function currentBackend(): string {
  return internals().backendName ?? tf.getBackend();
}

/**
 * Runs a function with another, initialised backend in use. `tf.setBackend` cannot do this: it is asynchronous, and it
 * runs every kernel's set-up function again.
 */
export function withBackend<T>(name: string, run: () => T): T {
  const engine = internals();
  const { backendName, backendInstance } = engine;
  engine.backendName = name;
  engine.backendInstance = engine.registry[name] ?? null;
  try {
    return run();
  } finally {
    engine.backendName = backendName;
    engine.backendInstance = backendInstance;
  }
}

/** Registers and initialises a backend without making it the one in use. */
export function addBackend(name: string, backend: tf.KernelBackend): void {
  tf.registerBackend(name, () => backend, 0);
  internals().initializeBackend(name);
}

/** Runs a kernel of the backend in use. */
export function runKernel<T extends tf.Tensor | tf.Tensor[] = tf.Tensor>(
  kernel: string,
  inputs: Readonly<Record<string, tf.Tensor>> | readonly tf.Tensor[],
  attributes: object = {},
): T {
  return tf.engine().runKernel<T>(kernel, inputs as tf.NamedTensorMap, attributes as Attributes);
}

/**
 * Value and gradients of a scalar function; a gradient is undefined where the value does not depend on the parameter.
 * Nothing stays behind when `f` or a gradient throws.
 */
export function gradients(
  f: () => tf.Scalar,
  parameters: tf.Tensor[],
): { value: tf.Scalar; grads: (tf.Tensor | undefined)[] } {
  try {
    return tf.engine().gradients(f, parameters, undefined, true);
  } catch (error) {
    dropTape();
    throw error;
  }
}

/** Makes the scope in use the owner of a tensor that was kept. */
export function handOver<T extends tf.Tensor>(tensor: T): T {
  (tensor as { kept: boolean }).kept = false;
  internals().track(tensor);
  return tensor;
}

/** A tensor on the same data. (On wasm, Identity copies; Reshape never does.) */
export function alias<T extends tf.Tensor>(tensor: T): T {
  return tf.reshape(tensor, tensor.shape) as T;
}

/** Releases what an interrupted forward pass saved for its backward pass. */
function dropTape(): void {
  const { state } = internals();
  if (state.gradientDepth > 0) return;
  for (const { saved } of state.activeTape ?? []) for (const tensor of saved) tensor.dispose();
  state.activeTape = null;
}
