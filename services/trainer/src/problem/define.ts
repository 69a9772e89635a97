/** What a module of the user's exports: a problem of its own, in plain `tf.*` (docs/problems.md). */

import type * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';

/** Tensors by name. */
export type Tensors = Readonly<Record<string, tf.Tensor>>;

/** A hyperparameter of the training loss, which hypergradients can move. */
export interface HyperparameterDefinition {
  /** For people. */
  readonly description?: string;
  /** Smallest value of its domain. */
  readonly min: number;
  /** Largest value of its domain. */
  readonly max: number;
  /** Value, of every component, where a study does not list it. */
  readonly default: number;
  /** Number of components of a vector; without it there is one value, and the loss gets a scalar. */
  readonly size?: number;
}

/** What mini-batches are drawn from: examples, or a function that makes the batch of a step. */
export type TrainingData =
  /** Every tensor has a row for each example. */
  | Tensors
  /** The same step must give the same batch each time. @param step counted from 0. */
  | ((batch: { readonly step: number; readonly size: number }) => Tensors);

/** A problem that is ready to train. Its tensors are float32, but for those of batches, which may be anything. */
export interface BuiltProblem {
  /** Initial weights. Neighbours whose names agree up to the last `/` are a layer. */
  readonly parameters: Tensors;
  readonly hyperparameters?: Readonly<Record<string, HyperparameterDefinition>>;
  readonly train: TrainingData;
  /** Examples that hypergradients are taken on: every tensor has a row for each. */
  readonly validation: Tensors;
  /** Examples for the figures at the end; those for validation where there are none. */
  readonly test?: Tensors;
  /** What training minimises: a scalar. @param hyperparameters scalars, or `[size]`. */
  loss(parameters: Tensors, batch: Tensors, hyperparameters: Tensors): tf.Tensor;
  /** What hypergradients are of: a scalar, the mean over the examples. */
  validationLoss(parameters: Tensors, batch: Tensors): tf.Tensor;
  /** Of a classifier the share of correct classes: a scalar. */
  accuracy?(parameters: Tensors, batch: Tensors): tf.Tensor;
}

/** What a problem is made from. */
export interface BuildContext<Options> {
  readonly options: Options;
  /** Of the trial: fixes what is random. */
  readonly seed: number;
}

export interface ProblemDefinition<Schema extends z.ZodType = z.ZodType> {
  /** For people. */
  readonly description: string;
  /** What `problem.options` of a study may have. */
  readonly options: Schema;
  build(context: BuildContext<z.output<Schema>>): BuiltProblem | Promise<BuiltProblem>;
}

const DEFINED = Symbol.for('glocal.problem');

/** A problem for `--problem-dir`. */
export function defineProblem<Schema extends z.ZodType = z.ZodObject>(
  definition: Omit<ProblemDefinition<Schema>, 'options'> & { readonly options?: Schema },
): ProblemDefinition<Schema> {
  const options = definition.options ?? (z.strictObject({}) as unknown as Schema);
  return Object.assign({ ...definition, options }, { [DEFINED]: true });
}

/** Whether {@link defineProblem} made it. */
export const isDefined = (value: unknown): value is ProblemDefinition =>
  typeof value === 'object' && value !== null && DEFINED in value;
