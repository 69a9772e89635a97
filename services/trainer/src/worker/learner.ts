/** What the outer loop trains: a model on a data set, on the tfjs backend of this process. */

import { type Evaluation, EvaluationPoint, type Method } from '@glocal/proto/glocal/v1/study';
import * as tf from '@tensorflow/tfjs-core';
import type { SearchPoint } from '../hyper/search-point.ts';
import type { HyperparameterValues } from '../inner/hyperparameter.ts';
import type { Batch, Objective } from '../inner/objective.ts';
import type { InnerOptimizer } from '../inner/optimizer.ts';
import {
  type Differentiation,
  type EvaluationPoint as InnerEvaluationPoint,
  TrainingRun,
  type TrainingSnapshot,
} from '../inner/training-run.ts';
import type { Learner, Snapshot } from '../loop/learner.ts';
import type { LearnerData } from './learner-data.ts';

interface LearnerSnapshot {
  readonly run: TrainingSnapshot;
  readonly steps: number;
}

export interface LearnerOptions {
  /** Of the complete and checked study. */
  readonly method: Method;
  readonly objective: Objective;
  readonly optimizer: InnerOptimizer;
  /** θ to start from, `[p]`. */
  readonly weights: Float32Array;
  readonly data: LearnerData;
  readonly space: SearchPoint;
  /** Undefined when no hypergradients will be asked for: then steps carry no sensitivities. */
  readonly differentiation: Differentiation | undefined;
  /** Of the trial: fixes which examples second derivatives are taken on. */
  readonly seed: number;
}

/**
 * A training run with its data. The position in the data is the number of steps done, so that a snapshot says where to go
 * on. Lives on the tfjs backend in use.
 */
export class TfjsLearner implements Learner, Disposable {
  readonly #run: TrainingRun;
  readonly #space: SearchPoint;
  readonly #method: Method;
  readonly #data: LearnerData;
  /** On the backend for as long as the learner lives: every hypergradient uses all of it, and so do the figures. */
  readonly #validation: Batch;
  #steps = 0;
  #point: Float64Array = new Float64Array();
  #values: HyperparameterValues = {};
  #derivatives: Float64Array = new Float64Array();

  constructor(options: LearnerOptions) {
    const { method, objective, optimizer, weights, data, space, differentiation, seed } = options;
    const { tangentExamples: count } = method;
    this.#method = method;
    this.#space = space;
    this.#data = data;
    // A module's tensors are its own, and stay.
    this.#validation = tf.tidy(() => mapBatch(data.validation(), (tensor) => tf.keep(tf.clone(tensor))));
    this.#run = new TrainingRun({
      ...{ objective, optimizer, weights },
      learned: differentiation === undefined ? [] : space.learned,
      differentiation: differentiation ?? { method: 'forward' },
      tangentExamples: count === undefined ? undefined : { count, seed },
      averaging: method.averaging ?? 0,
      evaluation: method.evaluation === EvaluationPoint.AVERAGED ? 'averaged' : 'lastIterate',
    });
  }

  startWindow(point: Float64Array): void {
    this.#point = point;
    this.#values = this.#space.trainingValues(point, this.#steps);
    this.#derivatives = this.#run.q === 0 ? new Float64Array() : this.#space.derivatives(point);
    this.#run.startWindow(this.#method.sensitivityDiscount);
  }

  plainStep(): void {
    this.#take((batch) => this.#run.plainStep(batch, this.#values));
  }

  step(): void {
    this.#take((batch) => this.#run.step(batch, this.#values, this.#derivatives));
  }

  /** Takes the next mini-batch. */
  #take(work: (batch: Batch) => void): void {
    if (this.#space.isScheduled) this.#values = this.#space.trainingValues(this.#point, this.#steps);
    tf.tidy(() => work(this.#data.batch(this.#steps)));
    this.#steps += 1;
  }

  hypergradient(): Float64Array | undefined {
    if (this.#method.validationSample === 0) return this.#run.hypergradient(this.#validation);
    let hypergradient: Float64Array | undefined;
    tf.tidy(() => {
      hypergradient = this.#run.hypergradient(this.#data.sample(this.#steps));
    });
    return hypergradient;
  }

  endWindow(): readonly Float64Array[] {
    return this.#run.endWindow();
  }

  takeTrainLoss(): number {
    return this.#run.takeTrainLoss();
  }

  evaluate(part: 'validation' | 'test', at: InnerEvaluationPoint): Evaluation {
    if (part === 'validation') return this.#run.evaluate(this.#validation, at);
    let figures: Evaluation | undefined;
    tf.tidy(() => {
      figures = this.#run.evaluate(this.#data.test(), at);
    });
    return figures as unknown as Evaluation;
  }

  snapshot(): Snapshot {
    const derivatives = this.#method.sensitivityDiscount > 0;
    const run = this.#run.snapshot({ derivatives });
    return { state: { run, steps: this.#steps } satisfies LearnerSnapshot };
  }

  restore({ state }: Snapshot): void {
    const { run, steps } = state as LearnerSnapshot;
    this.#run.restore(run);
    this.#steps = steps;
  }

  [Symbol.dispose](): void {
    this.#run.dispose();
    tf.dispose(Object.values(this.#validation));
  }
}

const mapBatch = (batch: Batch, map: (tensor: tf.Tensor) => tf.Tensor): Batch =>
  Object.fromEntries(Object.entries(batch).map(([name, tensor]) => [name, map(tensor)]));
