/** Activation functions of neural networks. */

import * as tf from '@tensorflow/tfjs-core';
import { aligned, broadcast, indicator, plus, type Rule, rule, unary } from './rule.ts';

/** `above` where x > 0, else `below`. */
const where = (x: tf.Tensor, above: tf.Tensor | number, below: tf.Tensor): tf.Tensor =>
  tf.where(tf.greater(x, 0), tf.mul(tf.onesLike(x), above), below);

/** dy ⊙ 1 where y ≥ 0, else dy ⊙ (y + 1): linear in dy. */
const eluGrad = rule<'dy' | 'y'>(({ primals: { dy, y }, tangents }) => {
  const below = indicator(tf.less(y, 0));
  return plus(
    tangents.dy && tf.mul(tangents.dy, tf.add(1, tf.mul(below, y))),
    tangents.y && tf.mul(tangents.y, tf.mul(below, dy)),
  );
});

/** x where x > 0, else alpha ⊙ x; alpha broadcasts. */
const prelu = rule<'x' | 'alpha'>(({ primals: { x, alpha }, tangents, output }) => {
  const below = tf.mul(tf.onesLike(output), alpha);
  return plus(
    tangents.x && tf.mul(tangents.x, where(x, 1, below)),
    tangents.alpha && broadcast(tf.mul(aligned(tangents.alpha, x.rank), tf.minimum(x, 0)), output.shape),
  );
});

export const ACTIVATION: Readonly<Record<string, Rule>> = {
  Relu: unary((x) => tf.step(x)),
  Relu6: unary((x) => tf.mul(tf.step(x), indicator(tf.lessEqual(x, 6)))),
  LeakyRelu: rule<'x', { alpha: number }>(
    ({ primals: { x }, tangents, attributes: { alpha } }) =>
      tangents.x && tf.mul(tangents.x, tf.step(x, alpha)),
  ),
  Prelu: prelu,
  Elu: unary((x, y) => where(x, 1, tf.add(y, 1))),
  EluGrad: eluGrad,
  Selu: unary((x, y) => where(x, tf.backend_util.SELU_SCALE, tf.add(y, tf.backend_util.SELU_SCALEALPHA))),
  Sigmoid: unary((_x, y) => tf.mul(y, tf.sub(1, y))),
  Softplus: unary((x) => tf.sigmoid(x)),
  Tanh: unary((_x, y) => tf.sub(1, tf.square(y))),
};
