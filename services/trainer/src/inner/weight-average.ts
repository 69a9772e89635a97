/** Averages of the weights that are part of an optimizer's state, and how much the newest weights count in them. */

import type { InnerOptimizer } from './optimizer.ts';
import type { Numbers } from './update.ts';

/** Name under which the share of the newest weights enters an update. */
export const SHARE = 'share';

/**
 * x_t = x_{t−1} + c_t (z_t − x_{t−1}) for the weights z_t after step t: their mean with weights w_t, as c_t = w_t / (w_1 + … + w_t).
 * c_t is a constant of every derivative (docs/method.md, section 13). The average is what is evaluated and kept of a training.
 */
export interface WeightAverage {
  /** Which of the optimizer's buffers it is. */
  readonly buffer: string;
  /**
   * w_t for t = 1, 2, …, each 0 or above: one number, or one for each layer.
   * @param values of all hyperparameters, as they were given.
   */
  weigh(values: Numbers, t: number): Float64Array;
}

/** Where the average is in an optimizer's state of weights and buffers; undefined without one. */
export const averageMember = ({ average, buffers }: InnerOptimizer): number | undefined =>
  average && 1 + buffers.indexOf(average.buffer);

/** c_t and w_1 + … + w_t, as many as there are weights w. In double precision: c falls to 1/t and below. */
export interface Share {
  readonly share: Float64Array;
  readonly sum: Float64Array;
}

/** @param before the sum of the steps before; none before the first. */
export function nextShare(average: WeightAverage, values: Numbers, t: number, before: Float64Array): Share {
  const weights = average.weigh(values, t);
  const sum = weights.map((weight, i) => weight + (before[i] ?? 0));
  // Without any weight so far the average stays where it is.
  return { sum, share: weights.map((weight, i) => (sum[i] ? weight / sum[i] : 0)) };
}
