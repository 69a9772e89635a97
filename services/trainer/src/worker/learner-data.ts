/** What a learner trains and evaluates on: a data set, prepared for a trial, or the examples of a module. */

import type { Augmentation, Method, Problem } from '@glocal/proto/glocal/v1/study';
import * as tf from '@tensorflow/tfjs-core';
import type { Batch as HostBatch } from '../data/examples.ts';
import { type PrepareOptions, prepare } from '../data/prepare.ts';
import type { Dataset } from '../data/registry.ts';
import type { Batch } from '../inner/objective.ts';
import type { CheckedProblem } from '../problem/built.ts';
import { batchesOf, sampleOf } from '../problem/data.ts';
import { validationExamples as defaultValidationExamples } from '../study/specification/defaults.ts';

/** Examples on the tfjs backend in use. What a method returns belongs to the caller's scope. */
export interface LearnerData {
  /** The mini-batch of an inner step, counted from 0. */
  batch(step: number): Batch;
  /** All examples for validation. */
  validation(): Batch;
  /** Some of them, others at each step. */
  sample(step: number): Batch;
  test(): Batch;
}

/** Of a data set. */
export interface ClassifiedData extends LearnerData {
  /** Share of the examples that are trained on that each class has. */
  readonly classShares: readonly number[];
}

/** How a trial uses its examples. */
export interface DataUse {
  readonly problem: Problem;
  readonly method: Pick<Method, 'validationSample' | 'validationSeed'>;
  readonly seed: number;
}

/** @throws DataError when the data set does not have what the problem asks for. */
export function datasetData(dataset: Dataset, { problem, method, seed }: DataUse): ClassifiedData {
  const { batchSize, standardize, imbalanceFactor, labelNoise, augmentation } = problem;
  // Open where trials differ in their data sets.
  const validationExamples = problem.validationExamples || defaultValidationExamples(dataset.train.count);
  const data = prepare(dataset, {
    ...{ seed, batchSize, validationExamples, standardize, imbalanceFactor, labelNoise },
    augmentation: wanted(augmentation),
  });
  const { validationSample, validationSeed } = method;
  return {
    batch: (step) => onBackend(data.train.at(step)),
    validation: () => onBackend(data.validation.all()),
    sample: (step) => onBackend(data.validation.sample(validationSample, validationSeed, step)),
    test: () => onBackend(data.test.all()),
    classShares: data.train.classShares,
  };
}

/** @throws DataError when the module has fewer examples than the problem asks for. */
export function moduleData(built: CheckedProblem, { problem, method, seed }: DataUse): LearnerData {
  const { validationSample, validationSeed } = method;
  return {
    batch: batchesOf(built, { batchSize: problem.batchSize, seed }),
    validation: () => built.validation,
    sample: (step) => sampleOf(built.validation, validationSample, validationSeed, step),
    test: () => built.test,
  };
}

/** Undefined when nothing is to be done, which is right for tables, too. */
function wanted(augmentation: Augmentation | undefined): PrepareOptions['augmentation'] {
  const { cropPadding = 0, horizontalFlip: flip = false } = augmentation ?? {};
  return cropPadding > 0 || flip ? { cropPadding, flip } : undefined;
}

function onBackend({ values, shape, labels, count }: HostBatch): Batch {
  return { x: tf.tensor(values, [count, ...shape]), labels: tf.tensor1d(labels, 'int32') };
}
