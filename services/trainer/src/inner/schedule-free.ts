/** Schedule-Free SGD and AdamW (Defazio et al., 2024, arXiv 2405.15682), learnable (docs/method.md, section 13). */

import * as tf from '@tensorflow/tfjs-core';
import { shareOfNewest } from './adam.ts';
import type { HyperparameterInfo } from './hyperparameter.ts';
import { type InnerOptimizer, rootMeanSquare, type UpdateInputs } from './optimizer.ts';
import { EPSILON, LEARNING_RATE, SQUARE_SHARE, share, WEIGHT_DECAY } from './optimizer-hyperparameters.ts';
import { SHARE, type WeightAverage } from './weight-average.ts';

const INTERPOLATION = share(
  'beta',
  'Share of the average in the point at which the training gradient is taken',
  0.9,
);

const POWER: HyperparameterInfo = {
  name: 'power',
  description: 'Power of the step in the weight of an iterate in the average; 0 as published',
  min: 0,
  max: 10,
  defaultValue: 2,
  groupings: ['none'],
  isSetting: true,
};

/** w_t = η² tʳ. */
const average: WeightAverage = {
  buffer: 'average',
  weigh(values, t) {
    const rates = values.get('lr') ?? new Float64Array();
    const factor = t ** (values.get('power')?.[0] ?? Number.NaN);
    return rates.map((rate) => rate ** 2 * factor);
  },
};

/** y = (1 − β)z + βx, for the iterate z (the weights) and their average x. */
function gradientPoint({ weights, buffers: [x], values }: Omit<UpdateInputs, 'gradient'>): tf.Tensor {
  const { beta } = values as Record<'beta', tf.Tensor2D>;
  return tf.add(tf.mul(tf.sub(1, beta), weights), tf.mul(beta, x as tf.Tensor));
}

/** z' − z = −η(d + wy), x' − x = c(z' − x), for a direction d. */
function moves(inputs: Omit<UpdateInputs, 'gradient'>, direction: tf.Tensor) {
  const { weights, buffers, values } = inputs;
  const { lr, weightDecay, [SHARE]: newest } = values as Record<'lr' | 'weightDecay' | 'share', tf.Tensor2D>;
  const decay = tf.mul(weightDecay, gradientPoint(inputs));
  const change = tf.neg(tf.mul(lr, tf.add(direction, decay)));
  const gap = tf.sub(weights, buffers[0] as tf.Tensor);
  return { change, average: tf.mul(newest, tf.add(gap, change)) };
}

export const scheduleFree: InnerOptimizer = {
  id: 'schedule-free',
  description: 'Schedule-Free stochastic gradient descent with weight decay',
  hyperparameters: [LEARNING_RATE, INTERPOLATION, WEIGHT_DECAY, POWER],
  buffers: ['average'],
  isLinear: true,
  ...{ average, gradientPoint },
  update(inputs) {
    const { change, average: moved } = moves(inputs, inputs.gradient);
    return { change, buffers: [moved] };
  },
};

/** The second moment as Adam has it; the average of iterates takes the place of the first. */
export const scheduleFreeAdamw: InnerOptimizer = {
  id: 'schedule-free-adamw',
  description: 'Schedule-Free AdamW',
  hyperparameters: [LEARNING_RATE, INTERPOLATION, SQUARE_SHARE, EPSILON, WEIGHT_DECAY, POWER],
  buffers: ['average', 'meanSquare'],
  isLinear: false,
  enters: { beta2: shareOfNewest },
  ...{ average, gradientPoint },
  update(inputs) {
    const { buffers, gradient, values } = inputs;
    const { beta2: newest, epsilon } = values as Record<'beta2' | 'epsilon', tf.Tensor2D>;
    const square = buffers[1] as tf.Tensor;
    const nextSquare = tf.add(square, tf.mul(newest, tf.sub(tf.square(gradient), square)));
    const direction = tf.div(gradient, tf.add(rootMeanSquare(nextSquare), epsilon));
    const { change, average: moved } = moves(inputs, direction);
    return { change, buffers: [moved, nextSquare] };
  },
};
