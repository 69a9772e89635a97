/** A perceptron with one hidden layer. */

import * as tf from '@tensorflow/tfjs-core';
import { biasLeakyRelu } from '../ad/ops/layers.ts';
import { dense } from './layers.ts';
import { defineModel } from './model.ts';

const INPUTS = 28 * 28;
const HIDDEN = 128;
const CLASSES = 10;
const SLOPE = 0.01;

/** 784 inputs, 128 hidden units, 10 classes: 101,770 weights. */
export const mlp = defineModel({
  id: 'mlp',
  description: 'Perceptron: 784 inputs, 128 hidden units, leaky ReLU; 28×28 grey images',
  inputShape: [28, 28, 1],
  classes: CLASSES,
  parameters: [
    { name: 'dense1/kernel', shape: [INPUTS, HIDDEN], fanIn: INPUTS },
    { name: 'dense1/bias', shape: [HIDDEN], fanIn: INPUTS },
    { name: 'dense2/kernel', shape: [HIDDEN, CLASSES], fanIn: HIDDEN },
    { name: 'dense2/bias', shape: [CLASSES], fanIn: HIDDEN },
  ],
  apply(parameters, x) {
    const [kernel1, bias1, kernel2, bias2] = parameters as [
      tf.Tensor2D,
      tf.Tensor1D,
      tf.Tensor2D,
      tf.Tensor1D,
    ];
    const flat = tf.reshape(x, [-1, INPUTS]) as tf.Tensor2D;
    const hidden = biasLeakyRelu(tf.matMul(flat, kernel1) as tf.Tensor2D, bias1, SLOPE);
    return dense(hidden, kernel2, bias2);
  },
});
