/** Softmax cross-entropy as one kernel that keeps the probabilities for its derivatives. */

import * as tf from '@tensorflow/tfjs-core';
import { runPrimitive } from './primitives.ts';

/**
 * Cross-entropy of each example, −Σ_c labels_c · log softmax(logits)_c, in nats.
 * @param logits `[batch, classes]`, float32.
 * @param labels `[batch, classes]`, float32: usually a distribution in each row, but they need not sum to 1.
 * @returns `[batch]`.
 * @throws RangeError when the shapes differ.
 */
export function softmaxCrossEntropy(logits: tf.Tensor2D, labels: tf.Tensor2D): tf.Tensor1D {
  if (!tf.util.arraysEqual(logits.shape, labels.shape)) {
    throw new RangeError(`logits of shape [${logits.shape}] do not match labels of shape [${labels.shape}]`);
  }
  const [losses] = runPrimitive<tf.Tensor[]>('SoftmaxCrossEntropy', { logits, labels });
  return losses as tf.Tensor1D;
}

tf.registerGradient({
  kernelName: 'SoftmaxCrossEntropy',
  inputsToSave: ['logits', 'labels'],
  outputsToSave: [false, true],
  gradFunc: (dys, saved) => {
    const [logits, labels, p] = saved as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
    const perExample = () => tf.expandDims((dys as tf.Tensor[])[0] as tf.Tensor1D, 1);
    return {
      logits: () => tf.mul(tf.sub(tf.mul(p, tf.sum(labels, -1, true)), labels), perExample()),
      labels: () => tf.neg(tf.mul(tf.logSoftmax(logits), perExample())),
    };
  },
});
