/** WideResNet 16-k in stock operations, for k > 1 the same network as `wideResnet(16, k)` of the trainer. */

import * as tf from '@tensorflow/tfjs-core';
import type { StockNetwork } from './stock-training.ts';

const GROUPS = 8;
const EPSILON = 1e-5;
const SLOPE = 0.01;
const STAGES = 3;
/** Of each stage, two convolutions each: 6 · 2 + 4 = 16. */
const BLOCKS = 2;

export const stockWideResnet16: StockNetwork = (weights, x) => {
  const rest = weights.values();
  const take = <T extends tf.Tensor>(): T => rest.next().value as T;
  const normActivate = (images: tf.Tensor4D): tf.Tensor4D =>
    tf.leakyRelu(groupNorm(images, take(), take()), SLOPE);
  let y = tf.conv2d(x, take<tf.Tensor4D>(), 1, 'same');
  for (let stage = 0; stage < STAGES; stage++) {
    for (let block = 0; block < BLOCKS; block++) {
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const active = normActivate(y);
      // The number of channels changes with each stage, and the way around with it.
      const around = block === 0 ? tf.conv2d(active, take<tf.Tensor4D>(), stride, 'same') : y;
      const first = tf.conv2d(active, take<tf.Tensor4D>(), stride, 'same');
      y = tf.add(around, tf.conv2d(normActivate(first), take<tf.Tensor4D>(), 1, 'same'));
    }
  }
  const pooled = tf.mean(normActivate(y), [1, 2]) as tf.Tensor2D;
  return tf.add(tf.matMul(pooled, take<tf.Tensor2D>()), take());
};

function groupNorm(x: tf.Tensor4D, scale: tf.Tensor, shift: tf.Tensor): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const grouped = tf.reshape(x, [batch, height, width, GROUPS, channels / GROUPS]);
  const { mean, variance } = tf.moments(grouped, [1, 2, 4], true);
  const normal = tf.mul(tf.sub(grouped, mean), tf.rsqrt(tf.add(variance, EPSILON)));
  return tf.add(tf.mul(tf.reshape(normal, x.shape), scale), shift);
}
