/** The LeNet of the paper's experiments (docs/method.md, section 9). */

import * as tf from '@tensorflow/tfjs-core';
import { biasLeakyRelu, convMaxPool2x2 } from '../ad/ops/layers.ts';
import { defineFamily, type ImageShape, rejectsImages } from './family.ts';
import { dense } from './layers.ts';

const CHANNELS = 16;
const KERNEL = 5;
const HIDDEN = 32;
const SLOPE = 0.01;
/** The smallest image of which something is left: 16 − 4 = 12, pooled 6, − 4 = 2, pooled 1. */
const LEAST_SIDE = 16;

/**
 * Two convolutions 5 × 5 with 16 channels, each pooled and rectified, then 32 units, then the classes: 15,386 weights for
 * 28 × 28 × 1 and 10 classes.
 */
export const lenet = defineFamily({
  id: 'lenet',
  description: 'LeNet: two 5×5 convolutions of 16 channels, 32 hidden units, leaky ReLU; images from 16×16',
  typical: { inputShape: [28, 28, 1], classes: 10 },
  rejects: ({ inputShape }) => rejectsImages(inputShape, LEAST_SIDE),
  define({ inputShape, classes }) {
    const [height, width, channels] = inputShape as unknown as ImageShape;
    const flatSize = sideLeft(height) * sideLeft(width) * CHANNELS;
    const firstFan = KERNEL * KERNEL * channels;
    const secondFan = KERNEL * KERNEL * CHANNELS;
    return {
      parameters: [
        { name: 'conv1/kernel', shape: [KERNEL, KERNEL, channels, CHANNELS], fanIn: firstFan },
        { name: 'conv1/bias', shape: [CHANNELS], fanIn: firstFan },
        { name: 'conv2/kernel', shape: [KERNEL, KERNEL, CHANNELS, CHANNELS], fanIn: secondFan },
        { name: 'conv2/bias', shape: [CHANNELS], fanIn: secondFan },
        { name: 'dense1/kernel', shape: [flatSize, HIDDEN], fanIn: flatSize },
        { name: 'dense1/bias', shape: [HIDDEN], fanIn: flatSize },
        { name: 'dense2/kernel', shape: [HIDDEN, classes], fanIn: HIDDEN },
        { name: 'dense2/bias', shape: [classes], fanIn: HIDDEN },
      ],
      apply(parameters, x) {
        const [kernel1, bias1, kernel2, bias2, kernel3, bias3, kernel4, bias4] = parameters as Parameters8;
        const first = block(x as tf.Tensor4D, kernel1, bias1);
        const second = block(first, kernel2, bias2);
        const flat = tf.reshape(second, [-1, flatSize]) as tf.Tensor2D;
        const hidden = biasLeakyRelu(tf.matMul(flat, kernel3) as tf.Tensor2D, bias3, SLOPE);
        return dense(hidden, kernel4, bias4);
      },
    };
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

/** Of an image's side after both blocks. */
const sideLeft = (side: number): number => afterBlock(afterBlock(side));
const afterBlock = (side: number): number => Math.floor((side - KERNEL + 1) / 2);

/** The bias is added after pooling, which gives the same values from a quarter of the additions. */
function block(x: tf.Tensor4D, kernel: tf.Tensor4D, bias: tf.Tensor1D): tf.Tensor4D {
  return biasLeakyRelu(convMaxPool2x2(x, kernel, 'valid'), bias, SLOPE);
}
