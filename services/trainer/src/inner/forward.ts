/** Forward mode: Z = ds/dφ moves with every step (Eq. 18), in chunks of as many components as memory allows. */

import * as tf from '@tensorflow/tfjs-core';
import type { DerivativeSnapshot, Differentiator } from './differentiator.ts';
import { InnerTrainingError } from './errors.ts';
import type { Rows } from './optimizer.ts';
import {
  directionsOf,
  dualGradient,
  type PlainPart,
  plainPart,
  replaceKept,
  type Step,
  type Stepped,
  type Training,
  trainingGradient,
} from './step.ts';

/** Directions of one pass by default: those of LeNet at batch 128 are some 0.1 GB for each tensor that they go through. */
export const DEFAULT_CHUNK = 16;

/** Z of neighbouring components. */
interface Chunk {
  readonly begin: number;
  readonly end: number;
  /** Z of the weights, then of each buffer, each `[end − begin, p]`; null while all are zero. */
  state: readonly Rows[] | null;
  /** Z̄, `[end − begin, p]`; null while zero, or when nothing is averaged. */
  average: Rows | null;
}

/** Z on the host, q rows each. */
export interface SensitivitySnapshot {
  readonly of: 'sensitivity';
  /** Z of the weights and of each buffer, each `[q, p]` row-major. */
  readonly state: readonly Float32Array[];
  /** Z̄, `[q, p]`; null when nothing is averaged. */
  readonly average: Float32Array | null;
}

export interface ForwardOptions {
  /** Number of components. */
  readonly q: number;
  /** Weights and buffers. */
  readonly members: number;
  /** Number of weights. */
  readonly p: number;
  readonly chunk: number;
  /** Member of the state at which hypergradients are taken: 0 for the weights, or the average among the buffers. */
  readonly evaluated: number;
  /** β of Z̄ ← β Z̄ + (1 − β) Z, when hypergradients are taken at θ̄ beside the state; undefined else (docs/method.md, section 11). */
  readonly averaging: number | undefined;
}

export class ForwardMode implements Differentiator {
  readonly #training: Training;
  readonly #options: ForwardOptions;
  readonly #chunks: readonly Chunk[];

  constructor(training: Training, options: ForwardOptions) {
    this.#training = training;
    this.#options = options;
    const { q, chunk } = options;
    this.#chunks = Array.from({ length: Math.ceil(q / chunk) }, (_, i) => ({
      begin: i * chunk,
      end: Math.min(q, (i + 1) * chunk),
      state: null,
      average: null,
    }));
  }

  startWindow(discount: number): void {
    for (const chunk of this.#chunks) {
      const scaled = (rows: Rows): Rows => tf.mul(rows, discount);
      tf.tidy(() => {
        if (discount === 0) this.#replace(chunk, null, null);
        else this.#replace(chunk, chunk.state?.map(scaled) ?? null, chunk.average && scaled(chunk.average));
      });
    }
  }

  step(step: Step): Stepped {
    const plain = this.#plainPart(step);
    let first: tf.Tensor[] | undefined;
    for (const chunk of this.#chunks) {
      // One chunk's intermediate results are gone before the next one's are made.
      const stepped = tf.tidy(() => this.#stepChunk(chunk, step, plain, first === undefined));
      first ??= stepped;
    }
    if (first !== undefined) {
      const [loss, ...state] = first as [tf.Scalar, ...Rows[]];
      return { loss, state };
    }
    const { loss, gradient } = plain ?? trainingGradient(this.#training, step);
    const update = this.#training.updates(step.values.optimizer);
    return { loss, state: update.apply({ state: step.state, gradient }) };
  }

  /** What is the same for all chunks, and taken once; undefined when each has directions of the whole batch. */
  #plainPart(step: Step): PlainPart | undefined {
    const { values, tangents } = step;
    const { gradientPoint } = this.#training.updates(values.optimizer);
    const hasDirections =
      tangents?.drawn !== null &&
      (gradientPoint !== undefined ||
        this.#chunks.some(({ state }) => state !== null) ||
        values.learned.some(({ name }) => values.loss.has(name)));
    if (!hasDirections) return { ...trainingGradient(this.#training, step), share: 0 };
    return tangents && plainPart(this.#training, step, tangents);
  }

  /** @returns loss and next state, if wanted. */
  #stepChunk(chunk: Chunk, step: Step, plain: PlainPart | undefined, wantsState: boolean): tf.Tensor[] {
    const { state, values } = step;
    const learned = values.learned.slice(chunk.begin, chunk.end);
    const dual = dualGradient(this.#training, step, learned, chunk.state, plain);
    const pushed = this.#training.updates(values.optimizer).pushforward(
      { state, gradient: dual.gradient },
      {
        count: learned.length,
        state: chunk.state,
        gradient: dual.directions,
        values: directionsOf(learned, values.optimizer),
      },
    );
    this.#replace(chunk, pushed.directions, this.#nextAverage(chunk.average, pushed.directions[0] as Rows));
    return wantsState ? [dual.loss, ...pushed.state] : [];
  }

  #nextAverage(average: Rows | null, weights: Rows): Rows | null {
    const beta = this.#options.averaging;
    if (beta === undefined) return null;
    const newest: Rows = tf.mul(weights, 1 - beta);
    return average ? tf.add(tf.mul(average, beta), newest) : newest;
  }

  /** h = ∇ℓ~ · Z, or ∇ℓ~(θ̄) · Z̄: q dot products. */
  hypergradient(gradient: () => Rows): Float64Array {
    const { q, averaging, evaluated } = this.#options;
    const hypergradient = new Float64Array(q);
    const sensitivities = this.#chunks.map(({ state, average }) =>
      averaging === undefined ? (state?.[evaluated] ?? null) : average,
    );
    if (sensitivities.every((rows) => rows === null)) return hypergradient;
    tf.tidy(() => {
      const row = gradient();
      this.#chunks.forEach(({ begin }, i) => {
        const rows = sensitivities[i];
        if (rows) hypergradient.set(tf.matMul(rows, row, false, true).dataSync(), begin);
      });
    });
    return hypergradient;
  }

  endWindow(): Float64Array[] {
    return [];
  }

  snapshot(): SensitivitySnapshot | null {
    const [first] = this.#chunks;
    if (!first?.state) return null;
    const gathered = (rowsOf: (chunk: Chunk) => Rows | null | undefined): Float32Array => {
      const parts = this.#chunks.map((chunk) => rowsOf(chunk)?.dataSync<'float32'>() ?? new Float32Array());
      const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
      let offset = 0;
      for (const part of parts) {
        all.set(part, offset);
        offset += part.length;
      }
      return all;
    };
    return {
      of: 'sensitivity',
      state: first.state.map((_, member) => gathered(({ state }) => state?.[member])),
      average: this.#options.averaging === undefined ? null : gathered(({ average }) => average),
    };
  }

  restore(snapshot: DerivativeSnapshot | null): void {
    const sensitivity = this.#checked(snapshot);
    const { p } = this.#options;
    for (const chunk of this.#chunks) {
      const { begin, end } = chunk;
      const rows = (all: Float32Array): Rows => tf.tensor2d(all.slice(begin * p, end * p), [end - begin, p]);
      const average = sensitivity?.average;
      this.#replace(chunk, sensitivity?.state.map(rows) ?? null, average ? rows(average) : null);
    }
  }

  #checked(snapshot: DerivativeSnapshot | null): SensitivitySnapshot | null {
    if (snapshot === null) return null;
    const { q, p, members, averaging } = this.#options;
    const isOurs =
      snapshot.of === 'sensitivity' &&
      snapshot.state.length === members &&
      (snapshot.average === null) === (averaging === undefined) &&
      [...snapshot.state, ...(snapshot.average ? [snapshot.average] : [])].every(
        ({ length }) => length === q * p,
      );
    if (isOurs) return snapshot;
    throw new InnerTrainingError(
      'SHAPE_MISMATCH',
      `the snapshot is not of ${q} components of ${p} weights in forward mode with this optimizer and evaluation point`,
    );
  }

  dispose(): void {
    this.startWindow(0);
  }

  #replace(chunk: Chunk, state: Rows[] | null, average: Rows | null): void {
    replaceKept([...(chunk.state ?? []), chunk.average], [...(state ?? []), average]);
    chunk.state = state;
    chunk.average = average;
  }
}
