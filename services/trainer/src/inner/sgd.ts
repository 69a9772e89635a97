/** Stochastic gradient descent with momentum and weight decay, all learnable (docs/method.md, section 2). */

import * as tf from '@tensorflow/tfjs-core';
import type { InnerOptimizer } from './optimizer.ts';
import { LEARNING_RATE, MOMENTUM, WEIGHT_DECAY } from './optimizer-hyperparameters.ts';

interface Variant {
  /** Nesterov's momentum (as of Sutskever et al., 2013) in place of the heavy ball's. */
  readonly nesterov: boolean;
  /** Weight decay beside the gradient (Loshchilov and Hutter, 2019), not in it as an L2 penalty. */
  readonly decoupled: boolean;
}

/**
 * v' = μv + g, θ' = θ − ηv' with rate η and momentum μ; Nesterov: θ' = θ − η(g + μv'). Weight decay w is coupled,
 * g = ∇ℓ + wθ, or decoupled, θ' less by ηwθ. As in PyTorch.
 */
function makeSgd({ nesterov, decoupled }: Variant): InnerOptimizer {
  return {
    id: `sgd${decoupled ? 'w' : ''}${nesterov ? '-nesterov' : ''}`,
    description:
      `Stochastic gradient descent with ${nesterov ? "Nesterov's momentum" : 'momentum'} and ` +
      (decoupled ? 'decoupled weight decay' : 'weight decay (coupled, as an L2 penalty)'),
    hyperparameters: [LEARNING_RATE, MOMENTUM, WEIGHT_DECAY],
    buffers: ['momentum'],
    isLinear: true,
    update({ weights, buffers: [buffer], gradient, values }) {
      const { lr, momentum, weightDecay } = values as Record<'lr' | 'momentum' | 'weightDecay', tf.Tensor2D>;
      const decay = tf.mul(weightDecay, weights);
      const g = decoupled ? gradient : tf.add(gradient, decay);
      const next = tf.add(tf.mul(momentum, buffer as tf.Tensor), g);
      const direction = nesterov ? tf.add(g, tf.mul(momentum, next)) : next;
      return {
        change: tf.neg(tf.mul(lr, decoupled ? tf.add(direction, decay) : direction)),
        buffers: [next],
      };
    },
  };
}

export const sgd = makeSgd({ nesterov: false, decoupled: false });
export const sgdNesterov = makeSgd({ nesterov: true, decoupled: false });
export const sgdw = makeSgd({ nesterov: false, decoupled: true });
export const sgdwNesterov = makeSgd({ nesterov: true, decoupled: true });
