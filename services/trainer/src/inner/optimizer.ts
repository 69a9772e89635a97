/** What an inner optimizer is: its hyperparameters, and one update of the weights together with their sensitivity. */

import type * as tf from '@tensorflow/tfjs-core';
import type { HyperparameterInfo } from './hyperparameter.ts';

/**
 * A quantity as large as θ with its derivatives, `[1 + q, p]`: row 0 is the value, row k its derivative with respect to
 * the coordinate phi of the k-th learned hyperparameter.
 */
export type Sensitive = tf.Tensor2D;

/** Everything that one update uses. */
export interface Update {
  readonly weights: Sensitive;
  /** In the order of {@link InnerOptimizer.buffers}. */
  readonly buffers: readonly Sensitive[];
  /** Row 0 the gradient of the training loss, row k the Hessian times row k of the weights. */
  readonly gradient: Sensitive;
  /** Value of every hyperparameter, by name. */
  readonly values: Readonly<Record<string, number>>;
  /** For each learned hyperparameter, in the order of the rows: its name and dvalue/dphi. */
  readonly learned: readonly { readonly name: string; readonly derivative: number }[];
}

/** An inner optimizer: s' = Θ(s, φ), and its derivative (docs/method.md, section 2). */
export interface InnerOptimizer {
  /** The id that a study names. */
  readonly id: string;
  /** For people. */
  readonly description: string;
  readonly hyperparameters: readonly HyperparameterInfo[];
  /** Names of what it keeps beside the weights; all start at zero. */
  readonly buffers: readonly string[];
  /** The next weights and buffers. Runs in the caller's scope; its arguments stay the caller's. */
  update(update: Update): { readonly weights: Sensitive; readonly buffers: readonly Sensitive[] };
}
