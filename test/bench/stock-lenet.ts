/** LeNet in stock operations, the same network as `lenet` of the trainer. */

import * as tf from '@tensorflow/tfjs-core';
import type { StockNetwork } from './stock-training.ts';

const SLOPE = 0.01;

export const stockLenet: StockNetwork = (weights, x) => {
  const [kernel1, bias1, kernel2, bias2, kernel3, bias3, kernel4, bias4] = weights as [
    tf.Tensor4D,
    tf.Tensor,
    tf.Tensor4D,
    tf.Tensor,
    tf.Tensor2D,
    tf.Tensor,
    tf.Tensor2D,
    tf.Tensor,
  ];
  const block = (input: tf.Tensor4D, kernel: tf.Tensor4D, bias: tf.Tensor): tf.Tensor4D => {
    const convolved = tf.add(tf.conv2d(input, kernel, 1, 'valid'), bias) as tf.Tensor4D;
    return tf.leakyRelu(tf.maxPool(convolved, 2, 2, 'valid'), SLOPE);
  };
  const features = block(block(x, kernel1, bias1), kernel2, bias2);
  const flat = tf.reshape(features, [x.shape[0], -1]) as tf.Tensor2D;
  const hidden = tf.leakyRelu(tf.add(tf.matMul(flat, kernel3), bias3), SLOPE) as tf.Tensor2D;
  return tf.add(tf.matMul(hidden, kernel4), bias4);
};
