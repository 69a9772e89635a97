/**
 * From a data set to what one trial trains, validates and tests on: the split, the imbalance, wrong labels, the mini-batches,
 * crops and flips, and the standardisation, in this order. All follow from the options, so that a trial resumes with a step alone.
 */

import { type Augmentation, augmented, checkAugmentation } from './augment.ts';
import { MiniBatches, sampledIndices } from './batches.ts';
import { allIndices, type Batch, batchOf, type Indices, type LabelledExamples } from './examples.ts';
import { imbalanced } from './imbalance.ts';
import { withLabelNoise } from './label-noise.ts';
import { randomStream } from './random.ts';
import type { Dataset } from './registry.ts';
import { splitStratified } from './split.ts';
import { measure, standardized } from './standardize.ts';

export interface PrepareOptions {
  /** Fixes split, imbalance, wrong labels, order, crops and flips. */
  readonly seed: number;
  /** Examples in a mini-batch. */
  readonly batchSize: number;
  /** Taken from the training part, stratified by class, before the rest is made imbalanced; never cropped or flipped. */
  readonly validationExamples: number;
  /**
   * Whether values are standardised, by the examples that are trained on.
   * @default what the data set says.
   */
  readonly standardize?: boolean | undefined;
  /**
   * How much fewer examples the last class keeps than the first, to train on.
   * @default 1, all are kept.
   */
  readonly imbalanceFactor?: number | undefined;
  /**
   * Share of the examples that are trained on whose class is replaced by another one.
   * @default 0
   */
  readonly labelNoise?: number | undefined;
  /** Random crops and flips of the images that are trained on. Without it there are none. */
  readonly augmentation?: Augmentation | undefined;
}

export interface PreparedData {
  readonly train: TrainingPart;
  readonly validation: EvaluationPart;
  readonly test: EvaluationPart;
}

/** Examples to train on. */
export interface TrainingPart {
  /** Number of examples that batches are drawn from. */
  readonly count: number;
  /** Share of them that each class has. */
  readonly classShares: readonly number[];
  /** The mini-batch of an inner step, counted from 0. */
  at(step: number): Batch;
}

/** Examples to evaluate on. */
export interface EvaluationPart {
  readonly count: number;
  /** All of them, in their order in the data set. */
  all(): Batch;
  /**
   * Some of them, chosen for one step; another step gives others.
   * @throws DataError TOO_FEW_EXAMPLES when there are not as many.
   */
  sample(size: number, seed: number, step: number): Batch;
}

/**
 * Prepares a data set for one trial. Nothing is copied yet but what the standardisation needs.
 * @throws DataError TOO_FEW_EXAMPLES or MISMATCH, when the options ask for what the data does not have.
 */
export function prepare({ train, test, ...dataset }: Dataset, options: PrepareOptions): PreparedData {
  const { seed, batchSize, validationExamples, imbalanceFactor = 1, labelNoise = 0, augmentation } = options;
  if (augmentation !== undefined) checkAugmentation(augmentation, train.shape);
  const split = splitStratified(train, { validationExamples, seed });
  const indices =
    imbalanceFactor === 1 ? split.train : imbalanced(train, split.train, { factor: imbalanceFactor, seed });
  const labelled = labelNoise === 0 ? train : withLabelNoise(train, indices, { share: labelNoise, seed });
  const batches = new MiniBatches({ indices, batchSize, seed });
  const augment = (batch: Batch, step: number): Batch =>
    augmentation === undefined
      ? batch
      : augmented(batch, augmentation, randomStream(seed, 'augmentation', step));
  const isStandardized = options.standardize ?? dataset.standardize ?? false;
  const standardization = isStandardized ? measure(train, indices) : undefined;
  const scale = (batch: Batch): Batch =>
    standardization === undefined ? batch : standardized(batch, standardization);
  return {
    train: {
      count: indices.length,
      classShares: sharesOf(labelled, indices),
      at: (step) => scale(augment(batchOf(labelled, batches.at(step)), step)),
    },
    validation: evaluationPart(train, split.validation, scale),
    test: evaluationPart(test, allIndices(test), scale),
  };
}

function sharesOf({ labels, classes }: LabelledExamples, indices: Indices): number[] {
  const counts = new Uint32Array(classes);
  for (let i = 0; i < indices.length; i++) {
    const label = labels[indices[i] as number] as number;
    counts[label] = (counts[label] as number) + 1;
  }
  return Array.from(counts, (count) => count / indices.length);
}

function evaluationPart(
  examples: LabelledExamples,
  indices: Uint32Array,
  scale: (batch: Batch) => Batch,
): EvaluationPart {
  return {
    count: indices.length,
    all: () => scale(batchOf(examples, indices)),
    sample: (size, seed, step) => scale(batchOf(examples, sampledIndices(indices, size, seed, step))),
  };
}
