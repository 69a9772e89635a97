/** The kernels of `ops/primitives.ts`. Masks and slopes are piecewise constant: they have no tangent. */

import * as tf from '@tensorflow/tfjs-core';
import { runKernel } from '../engine.ts';
import { PAIRS } from '../ops/primitives.ts';
import { avgPoolGradOf } from './pooling.ts';
import { fold, plus, type Rule, rule, type Tangent, unfold } from './rule.ts';

/** With l the labels, S their sum: tangents of the losses, Σ (p S − l) t − Σ log p · dl, and of the softmax, p ⊙ (t − Σ p t). */
const softmaxCrossEntropy = rule<'logits' | 'labels'>(({ primals, tangents, outputs }) => {
  const { logits, labels } = primals;
  const { logits: t, labels: s } = tangents;
  const p = outputs[1] as tf.Tensor;
  const ofLabels = s && tf.neg(tf.sum(tf.mul(s, tf.logSoftmax(logits)), -1));
  if (t === undefined) return [ofLabels, undefined];
  const weighted = tf.mul(p, t);
  const slope = tf.sub(tf.mul(p, tf.sum(labels, -1, true)), labels);
  const ofLogits = tf.sum(tf.mul(t, slope), -1);
  return [plus(ofLogits, ofLabels), tf.sub(weighted, tf.mul(p, tf.sum(weighted, -1, true)))];
});

export const PRIMITIVES: Readonly<Record<string, Rule>> = {
  MaxPool2x2: rule<'x'>(({ tangents, outputs, q }): Tangent[] => {
    const mask = outputs[1] as tf.Tensor;
    return [
      tangents.x && unfold(runKernel('AvgPool', { x: fold(tf.mul(tangents.x, mask)) }, PAIRS), q),
      undefined,
    ];
  }),
  MaxPool2x2Grad: rule<'dy' | 'mask'>(
    ({ primals: { mask }, tangents, q }): Tangent =>
      tangents.dy && tf.mul(avgPoolGradOf(tangents.dy, mask, q, PAIRS), mask),
  ),
  LeakyReluWithSlope: rule<'x'>(({ tangents, outputs }): Tangent[] => [
    tangents.x && tf.mul(tangents.x, outputs[1] as tf.Tensor),
    undefined,
  ]),
  SoftmaxCrossEntropy: softmaxCrossEntropy,
};
