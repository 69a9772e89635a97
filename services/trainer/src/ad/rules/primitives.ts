/** The kernels of `ops/primitives.ts`. Choices and slopes are piecewise constant: they have no tangent. */

import * as tf from '@tensorflow/tfjs-core';
import { runPrimitive } from '../ops/primitives.ts';
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

const pick = (x: tf.Tensor, choice: tf.Tensor): tf.Tensor => runPrimitive('MaxPool2x2Pick', { x, choice });

export const PRIMITIVES: Readonly<Record<string, Rule>> = {
  MaxPool2x2: rule<'x'>(({ tangents, outputs, q }): Tangent[] => [
    tangents.x && unfold(pick(fold(tangents.x), outputs[1] as tf.Tensor), q),
    undefined,
  ]),
  MaxPool2x2Pick: rule<'x' | 'choice'>(
    ({ primals: { choice }, tangents, q }) => tangents.x && unfold(pick(fold(tangents.x), choice), q),
  ),
  MaxPool2x2Grad: rule<'dy' | 'choice'>(
    ({ primals: { choice }, tangents, q }) =>
      tangents.dy && unfold(runPrimitive('MaxPool2x2Grad', { dy: fold(tangents.dy), choice }), q),
  ),
  LeakyReluWithSlope: rule<'x'>(({ tangents, outputs }): Tangent[] => [
    tangents.x && tf.mul(tangents.x, outputs[1] as tf.Tensor),
    undefined,
  ]),
  SoftmaxCrossEntropy: softmaxCrossEntropy,
};
