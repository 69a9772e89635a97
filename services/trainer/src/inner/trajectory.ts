/** What reverse mode remembers of a window: its last steps, and the hypergradients that were asked for. */

import * as tf from '@tensorflow/tfjs-core';
import { alias } from '../ad/engine.ts';
import type { Rows } from './optimizer.ts';
import type { StepPoint } from './step.ts';

/** A step that was made. Its tensors are the trajectory's. */
export interface RecordedStep {
  /** Its number in the window, from 1. */
  readonly index: number;
  /** With the examples that second derivatives are taken on; no tensors where there are none. */
  readonly step: StepPoint;
  /** Of the training loss, `[1, p]`. */
  readonly gradient: Rows;
}

/** A hypergradient that was asked for. */
export interface Pending {
  /** Number of the step that it was asked for after; 0 before the first. */
  readonly index: number;
  /** ∇ℓ~ at the evaluation point, `[1, p]`; the trajectory's. */
  readonly gradient: Rows;
}

/** A tensor on the host. */
interface HostTensor {
  readonly shape: readonly number[];
  /** Int32Array for int32, Uint8Array for bool. */
  readonly values: Float32Array | Int32Array | Uint8Array;
}

/** A window so far, on the host. */
export interface WindowSnapshot {
  readonly of: 'window';
  readonly index: number;
  readonly recorded: readonly {
    readonly index: number;
    readonly batch: Readonly<Record<string, HostTensor>>;
    readonly state: readonly Float32Array[];
    readonly gradient: Float32Array;
    readonly values: StepPoint['values'];
  }[];
  readonly pending: readonly { readonly index: number; readonly gradient: Float32Array }[];
}

export class Trajectory {
  readonly #back: number;
  /** Steps since the window began. */
  #index = 0;
  #recorded: RecordedStep[] = [];
  #pending: Pending[] = [];

  /** @param back how many steps before a hypergradient are needed. */
  constructor(back: number) {
    this.#back = back;
  }

  /** In their order; those that no hypergradient can need any more are gone. */
  get recorded(): readonly RecordedStep[] {
    return this.#recorded;
  }

  /** In the order in which they were asked for. */
  get pending(): readonly Pending[] {
    return this.#pending;
  }

  /** The tensors stay the caller's. */
  record({ batch, state, values }: StepPoint, gradient: Rows): void {
    this.#index += 1;
    this.#recorded.push({
      index: this.#index,
      gradient: ours(gradient),
      step: { batch: mapBatch(batch, ours), state: state.map(ours), values },
    });
    const isNeeded = ({ index }: RecordedStep): boolean =>
      index > this.#index - this.#back ||
      this.#pending.some((asked) => index <= asked.index && index > asked.index - this.#back);
    this.#recorded.filter((recorded) => !isNeeded(recorded)).forEach(release);
    this.#recorded = this.#recorded.filter(isNeeded);
  }

  /** Asks for a hypergradient after the latest step. @param gradient kept; from now on the trajectory's. */
  ask(gradient: Rows): void {
    this.#pending.push({ index: this.#index, gradient });
  }

  clear(): void {
    this.#index = 0;
    this.#recorded.forEach(release);
    this.#recorded = [];
    tf.dispose(this.#pending.map(({ gradient }) => gradient));
    this.#pending = [];
  }

  /** Null when nothing has happened yet. */
  snapshot(): WindowSnapshot | null {
    if (this.#index === 0 && this.#pending.length === 0) return null;
    const floats = (tensor: tf.Tensor) => tensor.dataSync<'float32'>().slice();
    return {
      of: 'window',
      index: this.#index,
      recorded: this.#recorded.map(({ index, gradient, step: { batch, state, values } }) => ({
        index,
        batch: mapBatch(batch, (tensor) => ({
          shape: tensor.shape,
          values: tensor.dataSync().slice() as HostTensor['values'],
        })),
        state: state.map(floats),
        gradient: floats(gradient),
        values,
      })),
      pending: this.#pending.map(({ index, gradient }) => ({ index, gradient: floats(gradient) })),
    };
  }

  restore(snapshot: WindowSnapshot | null): void {
    this.clear();
    if (snapshot === null) return;
    const row = (values: Float32Array): Rows => tf.keep(tf.tensor2d(values.slice(), [1, values.length]));
    this.#index = snapshot.index;
    this.#recorded = snapshot.recorded.map(({ index, batch, state, gradient, values }) => ({
      index,
      gradient: row(gradient),
      step: {
        batch: mapBatch(batch, ({ shape, values: numbers }) =>
          tf.keep(tf.tensor(numbers.slice(), [...shape], dtypeOf(numbers))),
        ),
        state: state.map(row),
        values,
      },
    }));
    this.#pending = snapshot.pending.map(({ index, gradient }) => ({ index, gradient: row(gradient) }));
  }
}

/** A tensor on the same data that lives until it is disposed of. */
const ours = <T extends tf.Tensor>(tensor: T): T => tf.keep(alias(tensor));

function mapBatch<From, To>(
  batch: Readonly<Record<string, From>>,
  map: (tensor: From) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(batch).map(([name, tensor]) => [name, map(tensor)]));
}

const dtypeOf = (values: HostTensor['values']): 'int32' | 'bool' | 'float32' => {
  if (values instanceof Int32Array) return 'int32';
  return values instanceof Uint8Array ? 'bool' : 'float32';
};

function release({ step: { batch, state }, gradient }: RecordedStep): void {
  tf.dispose([...Object.values(batch), ...state, gradient]);
}
