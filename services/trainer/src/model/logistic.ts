/** Softmax regression. */

import * as tf from '@tensorflow/tfjs-core';
import { defineFamily } from './family.ts';
import { dense } from './layers.ts';
import { sizeOf } from './model.ts';

/** One layer, for examples of any shape: 7,850 weights for 28 × 28 × 1 and 10 classes. */
export const logistic = defineFamily({
  id: 'logistic',
  description: 'Logistic regression: the logits are linear in the example; any shape',
  typical: { inputShape: [28, 28, 1], classes: 10 },
  define({ inputShape, classes }) {
    const inputs = sizeOf(inputShape);
    return {
      parameters: [
        { name: 'kernel', shape: [inputs, classes], fanIn: inputs },
        { name: 'bias', shape: [classes], fanIn: inputs },
      ],
      apply([kernel, bias], x) {
        const flat = tf.reshape(x, [-1, inputs]) as tf.Tensor2D;
        return dense(flat, kernel as tf.Tensor2D, bias as tf.Tensor1D);
      },
    };
  },
});
