/** Softmax. (tfjs has no kernel for its logarithm: `tf.logSoftmax` is made of others.) */

import * as tf from '@tensorflow/tfjs-core';
import { axesOf, lifted, type Rule, rule, type Tangent } from './rule.ts';

export const SOFTMAX: Readonly<Record<string, Rule>> = {
  // dp = p ⊙ (t − Σ p t)
  Softmax: rule<'logits', { dim?: number }>(({ tangents, output: p, attributes: { dim = -1 } }): Tangent => {
    if (tangents.logits === undefined) return undefined;
    const weighted = tf.mul(p, tangents.logits);
    return tf.sub(weighted, tf.mul(p, tf.sum(weighted, lifted(axesOf(dim, p.rank)), true)));
  }),
};
