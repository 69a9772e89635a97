/** The LeNet of the paper's experiments (docs/method.md, section 9). */

import * as tf from '@tensorflow/tfjs-core';
import { biasLeakyRelu, convMaxPool2x2 } from '../ad/ops/layers.ts';
import { dense } from './layers.ts';
import { defineModel } from './model.ts';

const CHANNELS = 16;
const KERNEL = 5;
const HIDDEN = 32;
const CLASSES = 10;
/** 28 − 4 = 24, pooled 12, − 4 = 8, pooled 4. */
const FLAT = 4 * 4 * CHANNELS;
const SLOPE = 0.01;

const firstFan = KERNEL * KERNEL;
const secondFan = firstFan * CHANNELS;

/** 15,386 weights: two convolutions 5 × 5 with 16 channels, each pooled and rectified, then 32 units, then 10 classes. */
export const lenet = defineModel({
  id: 'lenet',
  description: 'LeNet: two 5×5 convolutions of 16 channels, 32 hidden units, leaky ReLU; 28×28 grey images',
  inputShape: [28, 28, 1],
  classes: CLASSES,
  parameters: [
    { name: 'conv1/kernel', shape: [KERNEL, KERNEL, 1, CHANNELS], fanIn: firstFan },
    { name: 'conv1/bias', shape: [CHANNELS], fanIn: firstFan },
    { name: 'conv2/kernel', shape: [KERNEL, KERNEL, CHANNELS, CHANNELS], fanIn: secondFan },
    { name: 'conv2/bias', shape: [CHANNELS], fanIn: secondFan },
    { name: 'dense1/kernel', shape: [FLAT, HIDDEN], fanIn: FLAT },
    { name: 'dense1/bias', shape: [HIDDEN], fanIn: FLAT },
    { name: 'dense2/kernel', shape: [HIDDEN, CLASSES], fanIn: HIDDEN },
    { name: 'dense2/bias', shape: [CLASSES], fanIn: HIDDEN },
  ],
  apply(parameters, x) {
    const [kernel1, bias1, kernel2, bias2, kernel3, bias3, kernel4, bias4] = parameters as Parameters8;
    const first = block(x as tf.Tensor4D, kernel1, bias1);
    const second = block(first, kernel2, bias2);
    const flat = tf.reshape(second, [-1, FLAT]) as tf.Tensor2D;
    const hidden = biasLeakyRelu(tf.matMul(flat, kernel3) as tf.Tensor2D, bias3, SLOPE);
    return dense(hidden, kernel4, bias4);
  },
});

type Parameters8 = [
  tf.Tensor4D,
  tf.Tensor1D,
  tf.Tensor4D,
  tf.Tensor1D,
  tf.Tensor2D,
  tf.Tensor1D,
  tf.Tensor2D,
  tf.Tensor1D,
];

/** The bias is added after pooling, which gives the same values from a quarter of the additions. */
function block(x: tf.Tensor4D, kernel: tf.Tensor4D, bias: tf.Tensor1D): tf.Tensor4D {
  return biasLeakyRelu(convMaxPool2x2(x, kernel, 'valid'), bias, SLOPE);
}
