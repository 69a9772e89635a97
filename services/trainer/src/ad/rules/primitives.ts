/** The kernels of `ops/primitives.ts`. Choices and slopes are piecewise constant: they have no tangent. */

import * as tf from '@tensorflow/tfjs-core';
import { runKernel } from '../engine.ts';
import { runPrimitive } from '../ops/primitives.ts';
import { type ConvolutionAttributes, tangentsAsLastAxis } from './convolution.ts';
import { aligned, fold, plus, type Rule, rule, stacked, type Tangent, unfold } from './rule.ts';

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

/**
 * Tangents of the filter side by side as one wide filter, pooled in that order; tangents of x as further examples. Tangents
 * of both are added when they are pooled, a quarter of their size.
 */
const convMaxPool = rule<'x' | 'filter', ConvolutionAttributes>(
  ({ primals: { x, filter }, tangents, q, output, outputs, attributes }): Tangent[] => {
    const choice = outputs[1] as tf.Tensor;
    const convolve = (input: tf.Tensor, weights: tf.Tensor) =>
      runKernel('Conv2D', { x: input, filter: weights }, attributes);
    const ofX = tangents.x && unfold(pick(convolve(fold(tangents.x), filter), choice), q);
    const wide = tangents.filter && convolve(x, tangentsAsLastAxis(tangents.filter));
    const ofFilter =
      wide && tf.reshape(runPrimitive('MaxPool2x2PickWide', { x: wide, choice }), stacked(q, output.shape));
    return [plus(ofX, ofFilter), undefined];
  },
);

export const PRIMITIVES: Readonly<Record<string, Rule>> = {
  MaxPool2x2: rule<'x'>(({ tangents, outputs, q }): Tangent[] => [
    tangents.x && unfold(pick(fold(tangents.x), outputs[1] as tf.Tensor), q),
    undefined,
  ]),
  ConvMaxPool2x2: convMaxPool,
  MaxPool2x2PickWide: rule<'x' | 'choice'>(({ primals: { choice }, tangents, q, output }) => {
    if (tangents.x === undefined) return undefined;
    const wide = tangentsAsLastAxis(tangents.x);
    return tf.reshape(runPrimitive('MaxPool2x2PickWide', { x: wide, choice }), stacked(q, output.shape));
  }),
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
  BiasLeakyRelu: rule<'x' | 'bias'>(({ tangents: { x, bias }, outputs }): Tangent[] => {
    const slope = outputs[1] as tf.Tensor;
    if (x && bias) return [runPrimitive('BiasLeakyReluTangent', { x, bias, slope }), undefined];
    const moved = x ?? (bias && aligned(bias, slope.rank));
    return [moved && tf.mul(moved, slope), undefined];
  }),
  BiasLeakyReluTangent: rule<'x' | 'bias' | 'slope'>(({ primals, tangents, q, output }) => {
    const { x = tf.zeros(stacked(q, primals.x.shape)), bias = tf.zeros(stacked(q, primals.bias.shape)) } =
      tangents;
    const folded = { x: fold(x), bias: fold(bias), slope: primals.slope };
    return tf.reshape(runPrimitive('BiasLeakyReluTangent', folded), stacked(q, output.shape));
  }),
  BiasLeakyReluGrad: rule<'dy' | 'slope'>(({ primals: { slope }, tangents, q, outputs }): Tangent[] => {
    if (tangents.dy === undefined) return [];
    const result = runPrimitive<tf.Tensor[]>('BiasLeakyReluGrad', { dy: tangents.dy, slope });
    return outputs.map(({ shape }, i) => tf.reshape(result[i] as tf.Tensor, stacked(q, shape)));
  }),
  SoftmaxCrossEntropy: softmaxCrossEntropy,
};
