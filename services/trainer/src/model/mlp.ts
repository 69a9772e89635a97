/** A perceptron with one hidden layer. */

import * as tf from '@tensorflow/tfjs-core';
import { biasLeakyRelu } from '../ad/ops/layers.ts';
import { defineFamily } from './family.ts';
import { dense } from './layers.ts';
import { sizeOf } from './model.ts';

const HIDDEN = 128;
const SLOPE = 0.01;

/** 128 hidden units, for examples of any shape: 101,770 weights for 28 × 28 × 1 and 10 classes. */
export const mlp = defineFamily({
  id: 'mlp',
  description: 'Perceptron: 128 hidden units, leaky ReLU; any shape',
  typical: { inputShape: [28, 28, 1], classes: 10 },
  define({ inputShape, classes }) {
    const inputs = sizeOf(inputShape);
    return {
      parameters: [
        { name: 'dense1/kernel', shape: [inputs, HIDDEN], fanIn: inputs },
        { name: 'dense1/bias', shape: [HIDDEN], fanIn: inputs },
        { name: 'dense2/kernel', shape: [HIDDEN, classes], fanIn: HIDDEN },
        { name: 'dense2/bias', shape: [classes], fanIn: HIDDEN },
      ],
      apply(parameters, x) {
        const [kernel1, bias1, kernel2, bias2] = parameters as [
          tf.Tensor2D,
          tf.Tensor1D,
          tf.Tensor2D,
          tf.Tensor1D,
        ];
        const flat = tf.reshape(x, [-1, inputs]) as tf.Tensor2D;
        const hidden = biasLeakyRelu(tf.matMul(flat, kernel1) as tf.Tensor2D, bias1, SLOPE);
        return dense(hidden, kernel2, bias2);
      },
    };
  },
});
