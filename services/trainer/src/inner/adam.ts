/** Adam (Kingma and Ba, 2015) and AdamW (Loshchilov and Hutter, 2019), all of it learnable. */

import * as tf from '@tensorflow/tfjs-core';
import { type Entry, type InnerOptimizer, rootMeanSquare } from './optimizer.ts';
import { EPSILON, LEARNING_RATE, SQUARE_SHARE, share, WEIGHT_DECAY } from './optimizer-hyperparameters.ts';

/**
 * The moments are kept with their bias corrected, m̂ and v̂. With m_t = βm_{t−1} + (1 − β)g and m̂_t = m_t / (1 − β^t),
 * m̂_t = m̂_{t−1} + α_t (g − m̂_{t−1}),   α_t = (1 − β) / (1 − β^t) = 1 / (1 + β + … + β^{t−1}):
 * Adam as published while β is constant, and a mean with weights of sum 1 when β moves between windows. Derivatives by β
 * stay of the moments' size, where those of m_t and 1 − β^t would cancel.
 */
function makeAdam({ decoupled }: { readonly decoupled: boolean }): InnerOptimizer {
  return {
    id: decoupled ? 'adamw' : 'adam',
    description: decoupled
      ? 'Adam with decoupled weight decay'
      : 'Adam with weight decay (coupled, as an L2 penalty)',
    hyperparameters: [
      LEARNING_RATE,
      share('beta1', 'Share of the mean gradient that is kept', 0.9),
      SQUARE_SHARE,
      EPSILON,
      WEIGHT_DECAY,
    ],
    buffers: ['mean', 'meanSquare'],
    isLinear: false,
    enters: { beta1: shareOfNewest, beta2: shareOfNewest },
    update({ weights, buffers, gradient, values }) {
      const { lr, beta1: newest, beta2: newestSquare, epsilon, weightDecay } = values as Values;
      const [mean, square] = buffers as [tf.Tensor2D, tf.Tensor2D];
      const decay = tf.mul(weightDecay, weights);
      const g = decoupled ? gradient : tf.add(gradient, decay);
      const nextMean = tf.add(mean, tf.mul(newest, tf.sub(g, mean)));
      const nextSquare = tf.add(square, tf.mul(newestSquare, tf.sub(tf.square(g), square)));
      const direction = tf.div(nextMean, tf.add(rootMeanSquare(nextSquare), epsilon));
      return {
        change: tf.neg(tf.mul(lr, decoupled ? tf.add(direction, decay) : direction)),
        buffers: [nextMean, nextSquare],
      };
    },
  };
}

type Values = Readonly<Record<'lr' | 'beta1' | 'beta2' | 'epsilon' | 'weightDecay', tf.Tensor2D>>;

/** α_t = 1 / Σ_{i<t} β^i, and its derivative by β. Summed as far as it counts in double precision. */
export function shareOfNewest(beta: number, t: number): Entry {
  let [sum, slope, power, powerBefore] = [0, 0, 1, 1];
  for (let i = 0; i < t && powerBefore > 1e-18; i++) {
    sum += power;
    slope += i * powerBefore;
    [power, powerBefore] = [power * beta, power];
  }
  return { value: 1 / sum, slope: -slope / sum ** 2 };
}

export const adam = makeAdam({ decoupled: false });
export const adamw = makeAdam({ decoupled: true });
