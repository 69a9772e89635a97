/** Prodigy (Mishchenko and Defazio, 2023, arXiv 2306.06101): Adam that estimates its learning rate (docs/method.md, section 14). */

import * as tf from '@tensorflow/tfjs-core';
import type { HyperparameterInfo } from './hyperparameter.ts';
import { type InnerOptimizer, rootMeanSquare } from './optimizer.ts';
import { EPSILON, LEARNING_RATE, SQUARE_SHARE, share, WEIGHT_DECAY } from './optimizer-hyperparameters.ts';

const MULTIPLIER: HyperparameterInfo = {
  ...LEARNING_RATE,
  description: 'Learning rate as a multiple of the estimated one',
  defaultValue: 1,
};

/** Far above it, differences of float32 would be lost in the sums; far below it the estimate takes long to grow. */
const FIRST_ESTIMATE: HyperparameterInfo = {
  name: 'd0',
  description:
    'First estimate of the distance to a solution, which only grows; of no effect once it has grown',
  min: 1e-9,
  max: 100,
  defaultValue: 1e-6,
  groupings: ['none'],
};

type Values = Readonly<Record<'lr' | 'beta1' | 'beta2' | 'epsilon' | 'weightDecay' | 'd0', tf.Tensor2D>>;

/**
 * Algorithm 4 of the paper, with decoupled weight decay w as in its authors' code. For the estimate d, rate γ, gradient g and the
 * start θ_0:
 *
 * m' = β₁m + (1 − β₁)dg,   v' = β₂v + (1 − β₂)d²g²,   θ' = θ − γd(m'/(√v' + dε) + wθ),
 * r' = √β₂ r + (1 − √β₂)a⟨g, θ_0 − θ⟩,   s' = √β₂ s + (1 − √β₂)ag,   d' = max(d, r'/‖s'‖₁).
 *
 * There a = γd², and here γ(d/d0)², which leaves r'/‖s'‖₁ as it is and float32 room. r is kept as the terms of its inner product, θ_0
 * as θ_0 − θ, and d once for each weight: all buffers are as large as θ, and the derivative of the update has all of it.
 */
export const prodigy: InnerOptimizer = {
  id: 'prodigy',
  description: 'Prodigy: Adam with an estimated learning rate and decoupled weight decay',
  hyperparameters: [
    MULTIPLIER,
    share('beta1', 'Share of the mean gradient that is kept', 0.9),
    SQUARE_SHARE,
    EPSILON,
    WEIGHT_DECAY,
    FIRST_ESTIMATE,
  ],
  buffers: ['mean', 'meanSquare', 'alignment', 'gradientSum', 'displacement', 'distance'],
  isLinear: false,
  update({ weights, buffers, gradient, values }) {
    const { lr, beta1, beta2, epsilon, weightDecay, d0 } = values as Values;
    const [mean, square, alignment, gradientSum, displacement, distance] = buffers as tf.Tensor2D[] as [
      ...[tf.Tensor2D, tf.Tensor2D, tf.Tensor2D],
      ...[tf.Tensor2D, tf.Tensor2D, tf.Tensor2D],
    ];
    const ones = tf.onesLike(weights);
    // Products with ones: tfjs's gradient of a maximum does not add up what was broadcast.
    const d = tf.maximum(distance, tf.mul(d0, ones));
    const scaled = tf.mul(d, gradient);
    const nextMean = kept(beta1, mean, scaled);
    const nextSquare = kept(beta2, square, tf.square(scaled));
    const direction = tf.div(nextMean, tf.add(rootMeanSquare(nextSquare), tf.mul(d, epsilon)));
    const change = tf.neg(tf.mul(tf.mul(lr, d), tf.add(direction, tf.mul(weightDecay, weights))));

    const weighted = tf.mul(tf.mul(lr, tf.square(tf.div(d, d0))), gradient);
    // Of a root at 0 there is no derivative.
    const root = rootMeanSquare(beta2);
    const nextAlignment = kept(root, alignment, tf.mul(weighted, displacement));
    const nextSum = kept(root, gradientSum, weighted);
    const size = tf.maximum(tf.sum(tf.abs(nextSum), 1, true), SMALLEST_SUM);
    const estimate = tf.div(tf.sum(nextAlignment, 1, true), size);
    return {
      change,
      buffers: [
        ...[nextMean, nextSquare, nextAlignment, nextSum],
        ...[tf.sub(displacement, change), tf.maximum(d, tf.mul(estimate, ones))],
      ],
    };
  },
};

/** ‖s‖₁ that is divided by: without any gradient so far there is no estimate. */
const SMALLEST_SUM = 1e-18;

/** βm + (1 − β)x. */
const kept = (beta: tf.Tensor, m: tf.Tensor, x: tf.Tensor): tf.Tensor =>
  tf.add(tf.mul(beta, m), tf.mul(tf.sub(1, beta), x));
