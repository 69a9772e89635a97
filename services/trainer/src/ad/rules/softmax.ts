/** Softmax and its logarithm. */

import * as tf from '@tensorflow/tfjs-core';
import { axesOf, type Rule, rule, type Tangent } from './rule.ts';

/** t − Σ p t along the axis of the classes. */
function centred(tangent: tf.Tensor, p: tf.Tensor, axis: number | undefined): tf.Tensor {
  const [classes = p.rank - 1] = axesOf(axis ?? -1, p.rank);
  return tf.sub(tangent, tf.sum(tf.mul(p, tangent), classes + 1, true));
}

export const SOFTMAX: Readonly<Record<string, Rule>> = {
  // dp = p ⊙ (t − Σ p t)
  Softmax: rule<'logits', { dim?: number }>(
    ({ tangents, output, attributes }): Tangent =>
      tangents.logits && tf.mul(output, centred(tangents.logits, output, attributes.dim)),
  ),
  // d log p = t − Σ p t
  LogSoftmax: rule<'logits', { axis?: number }>(
    ({ tangents, output, attributes }): Tangent =>
      tangents.logits && centred(tangents.logits, tf.exp(output), attributes.axis),
  ),
};
