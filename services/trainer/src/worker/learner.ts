/** What the outer loop trains: a model on a data set, on the tfjs backend of this process. */

import {
  type Augmentation,
  type Evaluation,
  EvaluationPoint,
  type Method,
  type Problem,
} from '@glocal/proto/glocal/v1/study';
import * as tf from '@tensorflow/tfjs-core';
import type { Batch } from '../data/examples.ts';
import { type PreparedData, type PrepareOptions, prepare } from '../data/prepare.ts';
import type { Dataset } from '../data/registry.ts';
import type { SearchPoint } from '../hyper/search-point.ts';
import type { HyperparameterValues } from '../inner/hyperparameter.ts';
import type { Examples } from '../inner/loss.ts';
import { getOptimizer } from '../inner/registry.ts';
import type { LossOptions } from '../inner/training-loss.ts';
import {
  type Differentiation,
  type EvaluationPoint as InnerEvaluationPoint,
  TrainingRun,
  type TrainingSnapshot,
} from '../inner/training-run.ts';
import type { Learner, Snapshot } from '../loop/learner.ts';
import type { Model } from '../model/model.ts';

interface LearnerSnapshot {
  readonly run: TrainingSnapshot;
  readonly steps: number;
}

export interface LearnerOptions {
  /** Of the complete and checked study, as is the problem. */
  readonly method: Method;
  readonly problem: Problem;
  /** Fixes initial weights, validation split and data order. */
  readonly seed: number;
  readonly dataset: Dataset;
  readonly model: Model;
  readonly loss: LossOptions;
  readonly space: SearchPoint;
  /** Undefined when no hypergradients will be asked for: then steps carry no sensitivities. */
  readonly differentiation: Differentiation | undefined;
}

/**
 * A training run with its data. The position in the data is the number of steps done, so that a snapshot says where to go
 * on. Lives on the tfjs backend in use.
 */
export class TfjsLearner implements Learner, Disposable {
  readonly #run: TrainingRun;
  readonly #space: SearchPoint;
  readonly #method: Method;
  readonly #data: PreparedData;
  /** On the backend for as long as the learner lives: every hypergradient uses all of it, and so do the figures. */
  readonly #validation: Examples;
  #steps = 0;
  #values: HyperparameterValues = {};
  #derivatives: Float64Array = new Float64Array();

  /** @throws DataError when the data set does not have what the problem asks for. */
  constructor({ method, problem, seed, dataset, model, loss, space, differentiation }: LearnerOptions) {
    const { batchSize, validationExamples, standardize, imbalanceFactor, augmentation } = problem;
    this.#method = method;
    this.#space = space;
    this.#data = prepare(dataset, {
      seed,
      batchSize,
      validationExamples,
      standardize,
      imbalanceFactor,
      augmentation: wanted(augmentation),
    });
    this.#validation = onBackend(this.#data.validation.all());
    this.#run = new TrainingRun({
      model,
      optimizer: getOptimizer(problem.optimizer),
      loss,
      weights: model.initialise(seed),
      learned: differentiation === undefined ? [] : space.learned,
      differentiation: differentiation ?? { method: 'forward' },
      averaging: method.averaging ?? 0,
      evaluation: method.evaluation === EvaluationPoint.AVERAGED ? 'averaged' : 'lastIterate',
    });
  }

  startWindow(point: Float64Array): void {
    this.#values = this.#space.trainingValues(point);
    this.#derivatives = this.#run.q === 0 ? new Float64Array() : this.#space.derivatives(point);
    this.#run.startWindow(this.#method.sensitivityDiscount);
  }

  step(): void {
    using batch = onBackend(this.#data.train.at(this.#steps));
    this.#run.step(batch, this.#values, this.#derivatives);
    this.#steps += 1;
  }

  hypergradient(): Float64Array | undefined {
    const { validationSample, validationSeed } = this.#method;
    if (validationSample === 0) return this.#run.hypergradient(this.#validation);
    using sample = onBackend(this.#data.validation.sample(validationSample, validationSeed, this.#steps));
    return this.#run.hypergradient(sample);
  }

  endWindow(): readonly Float64Array[] {
    return this.#run.endWindow();
  }

  takeTrainLoss(): number {
    return this.#run.takeTrainLoss();
  }

  evaluate(part: 'validation' | 'test', at: InnerEvaluationPoint): Evaluation {
    if (part === 'validation') return this.#run.evaluate(this.#validation, at);
    using examples = onBackend(this.#data.test.all());
    return this.#run.evaluate(examples, at);
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
    tf.dispose([this.#validation.x, this.#validation.labels]);
  }
}

/** Undefined when nothing is to be done, which is right for tables, too. */
function wanted(augmentation: Augmentation | undefined): PrepareOptions['augmentation'] {
  const { cropPadding = 0, horizontalFlip: flip = false } = augmentation ?? {};
  return cropPadding > 0 || flip ? { cropPadding, flip } : undefined;
}

function onBackend({ values, shape, labels, count }: Batch): Examples & Disposable {
  const examples = { x: tf.tensor(values, [count, ...shape]), labels: tf.tensor1d(labels, 'int32') };
  return { ...examples, [Symbol.dispose]: () => tf.dispose([examples.x, examples.labels]) };
}
