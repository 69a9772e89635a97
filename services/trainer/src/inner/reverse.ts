/**
 * Reverse mode: the last steps before each hypergradient are recorded, and at the window's end the adjoints of all of them
 * run back together (docs/method.md, section 4).
 */

import * as tf from '@tensorflow/tfjs-core';
import { curvature } from './curvature.ts';
import type { DerivativeSnapshot, Differentiator } from './differentiator.ts';
import { InnerTrainingError } from './errors.ts';
import type { Rows } from './optimizer.ts';
import {
  plainStep,
  replaceKept,
  type Step,
  type StepPoint,
  type Stepped,
  type Training,
  tangentBatch,
} from './step.ts';
import type { LearnedValue } from './step-values.ts';
import { type Pending, type RecordedStep, Trajectory, type WindowSnapshot } from './trajectory.ts';

/** Adjoints in one pass of second derivatives; bounds the memory. */
const CHUNK = 16;

export interface ReverseOptions {
  /** Number of components. */
  readonly q: number;
  /** Weights and buffers. */
  readonly members: number;
  /** Number of weights. */
  readonly p: number;
  /** k: how many steps an adjoint goes back. */
  readonly steps: number;
  /** Member of the state at which hypergradients are taken: 0 for the weights, or the average among the buffers. */
  readonly evaluated: number;
  /** β, when hypergradients are taken at θ̄ beside the state; undefined else. */
  readonly averaging: number | undefined;
}

/** Adjoints of neighbouring hypergradients, oldest first. */
interface Adjoints {
  readonly of: readonly { readonly pending: Pending; readonly hypergradient: Float64Array }[];
  /** Of the weights, then of each buffer, each `[m, p]`; none while m = 0. */
  readonly state: readonly Rows[];
}

export class ReverseMode implements Differentiator {
  readonly #training: Training;
  readonly #options: ReverseOptions;
  readonly #trajectory: Trajectory;

  constructor(training: Training, options: ReverseOptions) {
    this.#training = training;
    this.#options = options;
    this.#trajectory = new Trajectory(options.steps);
  }

  startWindow(discount: number): void {
    if (discount !== 0) {
      throw new InnerTrainingError(
        'UNSUPPORTED',
        `reverse mode has no sensitivity to carry on: the discount ${discount} must be 0, or the method forward`,
      );
    }
    this.#trajectory.clear();
  }

  step(step: Step): Stepped {
    const { gradient, ...stepped } = plainStep(this.#training, step);
    if (this.#options.q > 0) this.#trajectory.record({ ...step, batch: tangentBatch(step) ?? {} }, gradient);
    return stepped;
  }

  hypergradient(gradient: () => Rows): undefined {
    this.#trajectory.ask(tf.tidy(() => tf.keep(gradient())));
  }

  /**
   * The adjoint a_t = dh/ds_t of a hypergradient starts as ∇ℓ~ at its step n and goes back by a_{t−1} = a_t · ∂s_t/∂s_{t−1}, over k
   * steps; h is the sum of a_t · ∂s_t/∂φ. At averaged weights (1 − β)β^{n−t} ∇ℓ~(θ̄_n) enters at each step t up to n. With m_t
   * adjoints under way at step t the window costs Σ_t (1 + 2m_t) gradients, over the steps with m_t > 0.
   */
  endWindow(): Float64Array[] {
    const { recorded, pending } = this.#trajectory;
    const wanted = pending.map((each) => ({
      pending: each,
      hypergradient: new Float64Array(this.#options.q),
    }));
    let adjoints: Adjoints = { of: [], state: [] };
    try {
      for (const step of recorded.toReversed()) {
        const before = adjoints;
        const entering = wanted.filter(
          (each) => this.#reaches(each.pending, step.index) && !before.of.includes(each),
        );
        tf.tidy(() => {
          adjoints = this.#back(step, this.#enter(before, entering, step.index));
          replaceKept(before.state, adjoints.state);
        });
      }
    } finally {
      tf.dispose([...adjoints.state]);
      this.#trajectory.clear();
    }
    return wanted.map(({ hypergradient }) => hypergradient);
  }

  /** Whether an adjoint passes through a step. */
  #reaches(pending: Pending, index: number): boolean {
    return index >= 1 && index <= pending.index && index > pending.index - this.#options.steps;
  }

  /** The adjoints after a step: those under way, and in front of them those that start there. */
  #enter({ of, state }: Adjoints, entering: Adjoints['of'], index: number): Adjoints {
    const { averaging, members, evaluated } = this.#options;
    const weightOf = (pending: Pending): number =>
      averaging === undefined ? 1 : (1 - averaging) * averaging ** (pending.index - index);
    const weighted = (some: Adjoints['of']): Rows =>
      tf.mul(
        tf.concat(some.map(({ pending }) => pending.gradient)),
        tf.tensor2d(some.map(({ pending }) => [weightOf(pending)])),
      );
    const underWay = state.map((rows, member) =>
      member === 0 && averaging !== undefined ? tf.add(rows, weighted(of)) : rows,
    ) as Rows[];
    if (entering.length === 0) return { of, state: underWay };
    const weights = weighted(entering);
    const entered = Array.from({ length: members }, (_, member) =>
      member === evaluated ? weights : tf.zerosLike(weights),
    );
    return {
      of: [...entering, ...of],
      state: entered.map((rows, member) => {
        const before = underWay[member];
        return before ? tf.concat([rows, before]) : rows;
      }),
    };
  }

  /** The adjoints before a step that go on from there; what the step adds to hypergradients is added. */
  #back({ index, step, gradient }: RecordedStep, { of, state: adjoints }: Adjoints): Adjoints {
    if (of.length === 0) return { of, state: [] };
    const { values, state } = step;
    const learned = [...new Set(values.learned.map(({ name }) => name))];
    const learnedOfLoss = learned.filter((name) => values.loss.has(name));
    const learnedOfOptimizer = learned.filter((name) => values.optimizer.has(name));
    const hypergradients = of.map(({ hypergradient }) => hypergradient);
    const update = this.#training.updates(values.optimizer);
    const pulled = update.pullback({ state, gradient }, adjoints, learnedOfOptimizer);
    addTo(hypergradients, pulled.values, values.learned);

    // Those asked for first end last: they are in front.
    const goingOn = of.filter(({ pending }) => this.#reaches(pending, index - 1));
    const hasCurvature = Object.keys(step.batch).length > 0;
    const reachesValues =
      learnedOfLoss.length > 0 || (update.gradientPoint !== undefined && learnedOfOptimizer.length > 0);
    const wanted = !hasCurvature ? 0 : reachesValues ? of.length : goingOn.length;
    const parts: Rows[] = [];
    for (let begin = 0; begin < wanted; begin += CHUNK) {
      const size = Math.min(CHUNK, wanted - begin);
      const part = tf.tidy(() => {
        const directions = tf.slice(pulled.gradient, [begin, 0], [size, -1]);
        const { byWeights, byValues } = curvature(this.#training, step, learnedOfLoss, directions);
        addTo(hypergradients.slice(begin, begin + size), byValues, values.learned);
        return byWeights;
      });
      parts.push(part);
    }
    const curved = this.#throughPoint(step, parts, learnedOfOptimizer, hypergradients.slice(0, wanted));
    if (goingOn.length === 0) return { of: [], state: [] };
    const front = (rows: Rows): Rows => tf.slice(rows, [0, 0], [goingOn.length, -1]);
    return {
      of: goingOn,
      state: pulled.state.map((rows, i) => {
        const ofPoint = curved[i];
        return ofPoint ? tf.add(front(rows), front(ofPoint)) : front(rows);
      }),
    };
  }

  /**
   * From adjoints of the point at which the gradient was taken to those of the state; what the point adds to hypergradients is
   * added.
   * @param parts `[m, p]` in parts; none where the gradient counts as a constant.
   */
  #throughPoint(
    { state, values }: StepPoint,
    parts: readonly Rows[],
    learned: readonly string[],
    hypergradients: readonly Float64Array[],
  ): readonly Rows[] {
    if (parts.length === 0) return [];
    const adjoints = tf.concat([...parts]);
    const point = this.#training.updates(values.optimizer).gradientPoint;
    if (point === undefined) return [adjoints];
    const pulled = point.pullback(state, adjoints, learned);
    addTo(hypergradients, pulled.values, values.learned);
    return pulled.state;
  }

  snapshot(): WindowSnapshot | null {
    return this.#trajectory.snapshot();
  }

  restore(snapshot: DerivativeSnapshot | null): void {
    this.#trajectory.restore(this.#checked(snapshot));
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

  dispose(): void {
    this.#trajectory.clear();
  }
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
