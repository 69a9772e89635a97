/** What an inner optimizer is: its hyperparameters, and Θ as a function that the engine can differentiate. */

import * as tf from '@tensorflow/tfjs-core';
import type { HyperparameterInfo } from './hyperparameter.ts';
import type { SHARE, WeightAverage } from './weight-average.ts';

/** Rows of a matrix, one for each of r copies of a quantity as large as θ: `[r, p]`, float32. */
export type Rows = tf.Tensor2D;

/** Everything that one update uses. */
export interface UpdateInputs {
  readonly weights: Rows;
  /** In the order of {@link InnerOptimizer.buffers}. */
  readonly buffers: readonly Rows[];
  /** Of the training loss, where {@link InnerOptimizer.gradientPoint} says. */
  readonly gradient: Rows;
  /**
   * Each hyperparameter that is no setting, as {@link InnerOptimizer.enters} lets it in, and {@link SHARE} where there is an
   * average: `[r, 1]`, or `[r, p]` when it differs by layer.
   */
  readonly values: Readonly<Record<string, tf.Tensor2D>>;
}

/** What a hyperparameter is turned into before it enters an update, and the derivative of that. */
export interface Entry {
  readonly value: number;
  readonly slope: number;
}

/** An inner optimizer: s' = Θ(s, φ). Its derivatives follow from {@link update} (`update.ts`). */
export interface InnerOptimizer {
  /** The id that a study names. */
  readonly id: string;
  /** For people. */
  readonly description: string;
  readonly hyperparameters: readonly HyperparameterInfo[];
  /** Names of what it keeps beside the weights; all start at zero, but an average as the weights. */
  readonly buffers: readonly string[];
  /**
   * Whether what `update` and `gradientPoint` give is linear in weights, buffers and gradient, and affine in {@link SHARE}: all
   * of it is a product with one matrix then.
   */
  readonly isLinear: boolean;
  /** The average that it keeps; without one there may be a running average outside of it. */
  readonly average?: WeightAverage;
  /**
   * Hyperparameters that do not enter the update as they are, by name: what enters in step t = 1, 2, … in their place.
   * Computed in double precision, where float32 would cancel.
   */
  readonly enters?: Readonly<Record<string, (value: number, t: number) => Entry>>;
  /** Where the gradient is taken, from the same kind of code; without it at the weights. */
  gradientPoint?(inputs: Omit<UpdateInputs, 'gradient'>): tf.Tensor;
  /** θ' − θ and the next buffers, of an average its change, from differentiable `tf.*` code that acts row by row. */
  update(inputs: UpdateInputs): { readonly change: tf.Tensor; readonly buffers: readonly tf.Tensor[] };
}

/** Smallest mean square that has a derivative of its root: far below any ε, and its reciprocal root is a float32. */
const TINY = 1e-30;

/**
 * √x for mean squares x, with a floor of 1e-15, and the derivative 0 below it: at 0, where the gradient of a dead unit
 * stays, √x has no derivative, and |g| = √g² has the subgradient 0.
 */
export const rootMeanSquare = (x: tf.Tensor): tf.Tensor => tf.sqrt(tf.maximum(x, TINY));
