/** Layers that several models share. */

import * as tf from '@tensorflow/tfjs-core';

/** x·kernel + bias. */
export function dense(x: tf.Tensor2D, kernel: tf.Tensor2D, bias: tf.Tensor1D): tf.Tensor2D {
  return tf.add(tf.matMul(x, kernel), bias);
}
