/** What the outer loop trains: a model on a data set, on the tfjs backend of this process. */

import type { Evaluation, Study } from '@glocal/proto/glocal/v1/study';
import * as tf from '@tensorflow/tfjs-core';
import { MiniBatches } from '../data/batches.ts';
import { type Indices, type LabelledExamples, labelsOf, toFloat32 } from '../data/examples.ts';
import type { Dataset } from '../data/registry.ts';
import { splitStratified } from '../data/split.ts';
import { SearchPoint } from '../hyper/search-point.ts';
import type { HyperparameterValues } from '../inner/hyperparameter.ts';
import type { Examples } from '../inner/loss.ts';
import { getOptimizer } from '../inner/registry.ts';
import { TrainingRun, type TrainingSnapshot } from '../inner/training-run.ts';
import type { Learner, Snapshot } from '../loop/learner.ts';
import type { Model } from '../model/model.ts';

interface LearnerSnapshot {
  readonly run: TrainingSnapshot;
  readonly steps: number;
}

/**
 * A training run with its data. The seed fixes initial weights, validation split and data order; the position in the data
 * is the number of steps done, so that a snapshot says where to go on. Lives on the tfjs backend in use.
 */
export class TfjsLearner implements Learner, Disposable {
  readonly #run: TrainingRun;
  readonly #space: SearchPoint;
  readonly #examples: LabelledExamples;
  readonly #test: LabelledExamples;
  readonly #batches: MiniBatches;
  /** On the backend for as long as the learner lives: every hypergradient uses all of it. */
  readonly #validation: Examples;
  #steps = 0;
  #values: HyperparameterValues = {};
  #derivatives: Float64Array = new Float64Array();

  /**
   * @param study complete and checked (`study/specification.ts`).
   * @param model of the study's problem, for this data set.
   * @param isLearning whether hypergradients will be asked for; without, steps carry no sensitivities.
   * @throws DataError when the data set has too few examples.
   */
  constructor(study: Study, seed: number, dataset: Dataset, model: Model, isLearning: boolean) {
    const { problem, space } = study;
    if (problem === undefined || space === undefined) throw new TypeError('the study is not complete');
    const { batchSize, validationExamples } = problem;
    const split = splitStratified(dataset.train, { validationExamples, seed });
    this.#space = new SearchPoint(space);
    this.#examples = dataset.train;
    this.#test = dataset.test;
    this.#batches = new MiniBatches({ indices: split.train, batchSize, seed });
    this.#validation = onBackend(dataset.train, split.validation);
    this.#run = new TrainingRun({
      model,
      optimizer: getOptimizer(problem.optimizer),
      weights: model.initialise(seed),
      learned: isLearning ? this.#space.components.map((name) => ({ name, index: 0 })) : [],
    });
  }

  startWindow(point: Float64Array): void {
    this.#values = Object.fromEntries(this.#space.values(point).map(({ name, value }) => [name, [value]]));
    this.#derivatives = this.#space.derivatives(point).slice(0, this.#run.q);
    this.#run.startWindow();
  }

  step(): void {
    const batch = onBackend(this.#examples, this.#batches.at(this.#steps));
    try {
      this.#run.step(batch, this.#values, this.#derivatives);
    } finally {
      tf.dispose([batch.x, batch.labels]);
    }
    this.#steps += 1;
  }

  hypergradient(): Float64Array {
    return this.#run.hypergradient(this.#validation) ?? new Float64Array();
  }

  takeTrainLoss(): number {
    return this.#run.takeTrainLoss();
  }

  evaluate(part: 'validation' | 'test'): Evaluation {
    if (part === 'validation') return this.#run.evaluate(this.#validation);
    const all = Uint32Array.from({ length: this.#test.count }, (_, index) => index);
    const examples = onBackend(this.#test, all);
    try {
      return this.#run.evaluate(examples);
    } finally {
      tf.dispose([examples.x, examples.labels]);
    }
  }

  snapshot(): Snapshot {
    return { state: { run: this.#run.snapshot(), steps: this.#steps } satisfies LearnerSnapshot };
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

function onBackend(examples: LabelledExamples, indices: Indices): Examples {
  return {
    x: tf.tensor(toFloat32(examples, indices), [indices.length, ...examples.shape]),
    labels: tf.tensor1d(labelsOf(examples, indices), 'int32'),
  };
}
