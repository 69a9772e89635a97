/**
 * What inner training minimises, and what its hypergradients are of: a function of weights, a batch, and hyperparameters of
 * its own. `classification.ts` makes one of a model; `problem/` makes one of a module of the user's.
 */

import type * as tf from '@tensorflow/tfjs-core';
import type { ModelParameter } from '../model/model.ts';
import type { HyperparameterInfo } from './hyperparameter.ts';

/** Tensors of examples by name. */
export type Batch = Readonly<Record<string, tf.Tensor>>;

/** Figures over some examples. */
export interface Figures {
  /** Mean validation loss; of a classifier the cross-entropy in nats. */
  readonly loss: number;
  /** Share of correct classes, 0 to 1; NaN where there are none. */
  readonly accuracy: number;
  /** Number of examples. */
  readonly examples: number;
}

/** Values of the training loss's hyperparameters by name, each `[number of values]`; one that is left out has its default. */
export type LossInputs = Readonly<Record<string, tf.Tensor>>;

/** The training loss of a batch. Made and used in one scope. */
export interface BatchLoss {
  /** @param probe see {@link ApartLoss}; only given where there is one. */
  value(parameters: readonly tf.Tensor[], inputs: LossInputs, probe?: tf.Tensor): tf.Scalar;
  /** Where example weights count as constants. */
  readonly apart?: ApartLoss | undefined;
}

/** Of a loss whose example weights count as constants: derivatives by what makes them are not those of the loss. */
export interface ApartLoss {
  /** Number of examples, n: a `probe` of `[n]` adds Σ_i probe_i l_i, so that its gradient is the losses l. */
  readonly examples: number;
  /** Names of the hyperparameters that make the weights. */
  readonly names: readonly string[];
  /** The weights, `[n]`. @param losses l, `[n]`. */
  weights(losses: tf.Tensor, inputs: LossInputs): tf.Tensor;
}

/** Some of the examples that are evaluated on. */
export interface ValidationPart {
  /** Of all examples; the shares add up to 1. */
  readonly share: number;
  /** Mean validation loss of these. */
  loss(parameters: readonly tf.Tensor[]): tf.Scalar;
}

export interface Objective {
  /** For messages. */
  readonly id: string;
  /** The weights in their order. */
  readonly parameters: readonly ModelParameter[];
  /** Values that a hyperparameter grouped by class has; 0 where there are no classes. */
  readonly classes: number;
  /** Hyperparameters of the training loss. */
  readonly hyperparameters: readonly HyperparameterInfo[];
  /** Values of a hyperparameter without groupings. */
  readonly networkSize: number;
  /**
   * Whether the training loss is a mean over examples, perhaps with a part that no example is in: the gradient of a
   * mini-batch is then the mean of those of its parts, weighted by their sizes.
   */
  readonly isMean: boolean;
  /** @throws InnerTrainingError when these are not examples that it takes. */
  check(batch: Batch): void;
  trainingLoss(batch: Batch): BatchLoss;
  /** As few parts as memory allows. @param parameters the weights, of any value. */
  validation(batch: Batch, parameters: readonly tf.Tensor[]): readonly ValidationPart[];
  figures(batch: Batch, parameters: readonly tf.Tensor[]): Figures;
}
