/**
 * Reverse mode: the last steps before each hypergradient are recorded, and at the window's end the adjoints of all of them
 * run back together (docs/method.md, section 4).
 */

import * as tf from '@tensorflow/tfjs-core';
import { alias } from '../ad/engine.ts';
import { curvature } from './curvature.ts';
import type { DerivativeSnapshot, Differentiator } from './differentiator.ts';
import { InnerTrainingError } from './errors.ts';
import type { Rows } from './optimizer.ts';
import { replaceKept, type Step, type Stepped, type Training, trainingGradient } from './step.ts';
import type { LearnedValue } from './step-values.ts';

/** Adjoints in one pass of second derivatives; bounds the memory. */
const CHUNK = 16;

/** A step that was made. Its tensors are ours. */
interface RecordedStep {
  /** Its number in the window, from 1. */
  readonly index: number;
  readonly step: Step;
  /** Of the training loss, `[1, p]`. */
  readonly gradient: Rows;
}

/** A hypergradient that was asked for. */
interface Pending {
  /** Number of the step that it was asked for after. */
  readonly index: number;
  /** ∇ℓ~ at the evaluation point, `[1, p]`; ours. */
  readonly gradient: Rows;
}

/** A window so far, on the host. */
export interface WindowSnapshot {
  readonly of: 'window';
  readonly index: number;
  readonly recorded: readonly {
    readonly index: number;
    readonly x: { readonly shape: readonly number[]; readonly values: Float32Array };
    readonly labels: Int32Array;
    readonly state: readonly Float32Array[];
    readonly gradient: Float32Array;
    readonly values: Step['values'];
  }[];
  readonly pending: readonly { readonly index: number; readonly gradient: Float32Array }[];
}

export interface ReverseOptions {
  /** Number of components. */
  readonly q: number;
  /** Weights and buffers. */
  readonly members: number;
  /** Number of weights. */
  readonly p: number;
  /** k: how many steps an adjoint goes back. */
  readonly steps: number;
  /** β, when hypergradients are taken at θ̄; undefined else. */
  readonly averaging: number | undefined;
  /** Learned hyperparameters of the loss. */
  readonly learnedOfLoss: readonly string[];
}

export class ReverseMode implements Differentiator {
  readonly #training: Training;
  readonly #options: ReverseOptions;
  /** Steps since the window began. */
  #index = 0;
  /** In their order; those that no hypergradient can need any more are dropped. */
  #recorded: RecordedStep[] = [];
  #pending: Pending[] = [];

  constructor(training: Training, options: ReverseOptions) {
    this.#training = training;
    this.#options = options;
  }

  startWindow(discount: number): void {
    if (discount !== 0) {
      throw new InnerTrainingError(
        'UNSUPPORTED',
        `reverse mode has no sensitivity to carry on: the discount ${discount} must be 0, or the method forward`,
      );
    }
    this.dispose();
  }

  dispose(): void {
    this.#index = 0;
    this.#recorded.forEach(release);
    this.#recorded = [];
    tf.dispose(this.#pending.map(({ gradient }) => gradient));
    this.#pending = [];
  }

  step(step: Step): Stepped {
    const { loss, gradient } = trainingGradient(this.#training, step);
    const { batch, state, values } = step;
    const next = this.#training.updates(values.optimizer).apply({ state, gradient });
    this.#index += 1;
    if (this.#options.q === 0) return { loss, state: next };
    this.#recorded.push({
      index: this.#index,
      gradient: ours(gradient),
      step: {
        batch: { x: ours(batch.x), labels: ours(batch.labels) },
        state: state.map(ours),
        values,
      },
    });
    this.#forget();
    return { loss, state: next };
  }

  /** Drops steps that are too old for any hypergradient, present or future. */
  #forget(): void {
    const { steps } = this.#options;
    const isNeeded = ({ index }: RecordedStep): boolean =>
      index > this.#index - steps ||
      this.#pending.some((pending) => index <= pending.index && index > pending.index - steps);
    this.#recorded.filter((recorded) => !isNeeded(recorded)).forEach(release);
    this.#recorded = this.#recorded.filter(isNeeded);
  }

  hypergradient(gradient: () => Rows): undefined {
    const row = tf.tidy(() => tf.keep(gradient()));
    this.#pending.push({ index: this.#index, gradient: row });
  }

  /**
   * The adjoint a_t = dh/ds_t of a hypergradient starts as ∇ℓ~ at its step and goes back by a_{t−1} = a_t · ∂s_t/∂s_{t−1}, while
   * h grows by a_t · ∂s_t/∂φ; at averaged weights (1 − β)β^{n−t}∇ℓ~(θ̄_n) enters at each step t up to its own, n. With m_t
   * adjoints under way at step t the window costs Σ_t (1 + 2m_t) gradients, over the steps with m_t > 0.
   */
  endWindow(): Float64Array[] {
    const { q } = this.#options;
    const hypergradients = this.#pending.map(() => new Float64Array(q));
    let adjoints: Rows[] = [];
    /** The adjoints under way are those of pending[first], pending[first + 1], … */
    let first = this.#pending.length;
    try {
      for (const recorded of this.#recorded.toReversed()) {
        const next = tf.tidy(() => {
          const from = this.#pending.findIndex(({ index }) => index >= recorded.index);
          const entering = from < 0 ? [] : this.#pending.slice(from, first);
          const all = this.#enter(adjoints, entering, first, recorded.index);
          first -= entering.length;
          return this.#back(recorded, all, hypergradients.slice(first));
        });
        replaceKept(adjoints, next);
        adjoints = next;
      }
    } finally {
      tf.dispose(adjoints);
      this.dispose();
    }
    return hypergradients;
  }

  /** Adjoints before a step: those under way, of pending[first]…, and in front of them those that start at this step. */
  #enter(adjoints: readonly Rows[], entering: readonly Pending[], first: number, index: number): Rows[] {
    const { averaging } = this.#options;
    const weightOf = (pending: Pending): number =>
      averaging === undefined ? 1 : (1 - averaging) * averaging ** (pending.index - index);
    const weighted = (pending: readonly Pending[]): Rows =>
      tf.mul(
        tf.concat(pending.map(({ gradient }) => gradient)),
        tf.tensor2d(pending.map((each) => [weightOf(each)])),
      );
    const m = adjoints[0]?.shape[0] ?? 0;
    const underWay = adjoints.map((rows, member) =>
      member === 0 && averaging !== undefined
        ? tf.add(rows, weighted(this.#pending.slice(first, first + m)))
        : rows,
    ) as Rows[];
    if (entering.length === 0) return underWay;
    const weights = weighted(entering);
    const { members } = this.#options;
    return Array.from({ length: members }, (_, member) => {
      const entered = member === 0 ? weights : tf.zerosLike(weights);
      const before = underWay[member];
      return before ? tf.concat([entered, before]) : entered;
    }) as Rows[];
  }

  /**
   * One step back.
   * @param adjoints of the state after the step, of the first hypergradients in their order.
   * @returns those that go on, of the state before the step.
   */
  #back(
    { index, step, gradient }: RecordedStep,
    adjoints: readonly Rows[],
    to: readonly Float64Array[],
  ): Rows[] {
    const m = adjoints[0]?.shape[0] ?? 0;
    if (m === 0) return [];
    const { steps, learnedOfLoss } = this.#options;
    const { values, state } = step;
    const pulled = this.#training.updates(values.optimizer).pullback({ state, gradient }, adjoints);
    addTo(to.slice(0, m), pulled.values, values.learned);

    const begun = this.#pending.filter((pending) => pending.index >= index).slice(0, m);
    const goingOn = index === 1 ? 0 : begun.filter((pending) => index > pending.index - steps + 1).length;
    const wanted = learnedOfLoss.length > 0 ? m : goingOn;
    const parts: Rows[] = [];
    for (let begin = 0; begin < wanted; begin += CHUNK) {
      const part = tf.tidy(() => {
        const size = Math.min(CHUNK, wanted - begin);
        const directions = tf.slice(pulled.gradient, [begin, 0], [size, -1]);
        const { byWeights, byValues } = curvature(this.#training, step, learnedOfLoss, directions);
        addTo(to.slice(begin, begin + size), byValues, values.learned);
        return byWeights;
      });
      parts.push(part);
    }
    if (goingOn === 0) return [];
    const front = (rows: Rows): Rows =>
      rows.shape[0] === goingOn ? rows : tf.slice(rows, [0, 0], [goingOn, -1]);
    const [weights, ...buffers] = pulled.state.map(front) as [Rows, ...Rows[]];
    return [tf.add(weights, front(tf.concat(parts))), ...buffers];
  }

  snapshot(): WindowSnapshot | null {
    if (this.#index === 0) return null;
    const floats = (tensor: tf.Tensor) => tensor.dataSync<'float32'>().slice();
    return {
      of: 'window',
      index: this.#index,
      recorded: this.#recorded.map(({ index, gradient, step: { batch, state, values } }) => ({
        index,
        x: { shape: batch.x.shape, values: floats(batch.x) },
        labels: batch.labels.dataSync<'int32'>().slice(),
        state: state.map(floats),
        gradient: floats(gradient),
        values,
      })),
      pending: this.#pending.map(({ index, gradient }) => ({ index, gradient: floats(gradient) })),
    };
  }

  restore(snapshot: DerivativeSnapshot | null): void {
    const window = this.#checked(snapshot);
    this.dispose();
    if (window === null) return;
    const row = (values: Float32Array): Rows => tf.keep(tf.tensor2d(values.slice(), [1, values.length]));
    this.#index = window.index;
    this.#recorded = window.recorded.map(({ index, x, labels, state, gradient, values }) => ({
      index,
      gradient: row(gradient),
      step: {
        batch: {
          x: tf.keep(tf.tensor(x.values.slice(), [...x.shape])),
          labels: tf.keep(tf.tensor1d(labels.slice(), 'int32')),
        },
        state: state.map(row),
        values,
      },
    }));
    this.#pending = window.pending.map(({ index, gradient }) => ({ index, gradient: row(gradient) }));
  }

  #checked(snapshot: DerivativeSnapshot | null): WindowSnapshot | null {
    if (snapshot === null) return null;
    const { p, members } = this.#options;
    const fits = (row: Float32Array) => row.length === p;
    const isOurs =
      snapshot.of === 'window' &&
      snapshot.pending.every(({ gradient }) => fits(gradient)) &&
      snapshot.recorded.every(
        ({ state, gradient }) => state.length === members && [...state, gradient].every(fits),
      );
    if (isOurs) return snapshot;
    throw new InnerTrainingError(
      'SHAPE_MISMATCH',
      `the snapshot is not of a window of ${p} weights in reverse mode with this optimizer`,
    );
  }
}

/** A tensor on the same data that lives until we dispose of it. */
const ours = <T extends tf.Tensor>(tensor: T): T => tf.keep(alias(tensor));

function release({ step: { batch, state }, gradient }: RecordedStep): void {
  tf.dispose([batch.x, batch.labels, ...state, gradient]);
}

/**
 * Adds derivatives by learned values, times those of the values by φ, to hypergradients.
 * @param byValues a row for each of the hypergradients, each `[m, n]` row-major.
 */
function addTo(
  hypergradients: readonly Float64Array[],
  byValues: ReadonlyMap<string, Float64Array>,
  learned: readonly LearnedValue[],
): void {
  learned.forEach(({ name, index, derivative }, k) => {
    const rows = byValues.get(name);
    if (rows === undefined) return;
    const n = rows.length / hypergradients.length;
    hypergradients.forEach((hypergradient, j) => {
      hypergradient[k] = (hypergradient[k] ?? 0) + (rows[j * n + index] ?? Number.NaN) * derivative;
    });
  });
}
