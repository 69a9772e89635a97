/** RMSProp (Tieleman and Hinton, 2012) with momentum and coupled weight decay, all learnable. */

import * as tf from '@tensorflow/tfjs-core';
import { type InnerOptimizer, rootMeanSquare } from './optimizer.ts';
import { EPSILON, LEARNING_RATE, MOMENTUM, share, WEIGHT_DECAY } from './optimizer-hyperparameters.ts';

/** s' = ρs + (1 − ρ)g², v' = μv + g / (√s' + ε), θ' = θ − ηv', with g = ∇ℓ + wθ. As in PyTorch. */
export const rmsprop: InnerOptimizer = {
  id: 'rmsprop',
  description: 'RMSProp with momentum and weight decay (coupled, as an L2 penalty)',
  hyperparameters: [
    LEARNING_RATE,
    share('rho', 'Share of the mean square that is kept', 0.99),
    EPSILON,
    MOMENTUM,
    WEIGHT_DECAY,
  ],
  buffers: ['meanSquare', 'momentum'],
  isLinear: false,
  enters: { rho: (rho) => ({ value: 1 - rho, slope: -1 }) },
  update({ weights, buffers, gradient, values }) {
    const { lr, rho: newest, epsilon, momentum, weightDecay } = values as Values;
    const [square, buffer] = buffers as [tf.Tensor2D, tf.Tensor2D];
    const g = tf.add(gradient, tf.mul(weightDecay, weights));
    const nextSquare = tf.add(square, tf.mul(newest, tf.sub(tf.square(g), square)));
    const scaled = tf.div(g, tf.add(rootMeanSquare(nextSquare), epsilon));
    const next = tf.add(tf.mul(momentum, buffer), scaled);
    return { change: tf.neg(tf.mul(lr, next)), buffers: [nextSquare, next] };
  },
};

type Values = Readonly<Record<'lr' | 'rho' | 'epsilon' | 'momentum' | 'weightDecay', tf.Tensor2D>>;
