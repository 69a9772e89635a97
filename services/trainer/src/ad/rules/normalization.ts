/** Normalisations that are kernels of their own. */

import * as tf from '@tensorflow/tfjs-core';
import { aligned, broadcast, plus, type Rule, rule, stacked, type Tangent } from './rule.ts';

/** y = (x − mean) · (variance + ε)^(−1/2) · scale + offset. */
const batchNorm = rule<'x' | 'mean' | 'variance' | 'scale' | 'offset', { varianceEpsilon: number }>(
  ({ primals, tangents, output, attributes: { varianceEpsilon } }) => {
    const { x, mean, variance, scale } = primals;
    const rank = x.rank;
    const centred = tf.sub(x, mean);
    const inverse = tf.rsqrt(tf.add(variance, varianceEpsilon));
    const gain = scale ? tf.mul(inverse, scale) : inverse;
    const term = (tangent: Tangent, slope: () => tf.Tensor | number): Tangent =>
      tangent && broadcast(tf.mul(aligned(tangent, rank), slope()), output.shape);
    return [
      term(tangents.x, () => gain),
      term(tangents.mean, () => tf.neg(gain)),
      term(tangents.variance, () => tf.mul(centred, tf.mul(-0.5, tf.mul(gain, tf.square(inverse))))),
      term(tangents.scale, () => tf.mul(centred, inverse)),
      term(tangents.offset, () => 1),
    ].reduce(plus);
  },
);

interface LocalResponseAttributes {
  readonly depthRadius: number;
  readonly bias: number;
  readonly alpha: number;
  readonly beta: number;
}

/** Sums over neighbouring channels, the last axis, with this radius. */
function neighbourhood(channels: number, radius: number): (values: tf.Tensor) => tf.Tensor {
  const reach = Math.min(radius, channels);
  const band = tf.linalg.bandPart(tf.ones([channels, channels]), reach, reach) as tf.Tensor2D;
  return (values) =>
    tf.reshape(tf.matMul(tf.reshape(values, [-1, channels]) as tf.Tensor2D, band), values.shape);
}

/** y = x s^(−β), with s = bias + α W(x²) and W the sum over neighbouring channels: ds = 2α W(x t). */
const localResponse = rule<'x', LocalResponseAttributes>(
  ({ primals: { x }, tangents, attributes: { depthRadius, bias, alpha, beta } }) => {
    if (tangents.x === undefined) return undefined;
    const sum = neighbourhood(x.shape[3] ?? 1, depthRadius);
    const s = tf.add(bias, tf.mul(alpha, sum(tf.square(x))));
    const ds = tf.mul(2 * alpha, sum(tf.mul(x, tangents.x)));
    return tf.sub(
      tf.mul(tangents.x, tf.pow(s, -beta)),
      tf.mul(ds, tf.mul(beta, tf.mul(x, tf.pow(s, -beta - 1)))),
    );
  },
);

/** dx = dy s^(−β) − 2αβ x W(u), with u = dy y / s; all three inputs may move. */
const localResponseGrad = rule<'x' | 'y' | 'dy', LocalResponseAttributes>(
  ({ primals: { x, y, dy }, tangents, q, attributes: { depthRadius, bias, alpha, beta } }) => {
    const sum = neighbourhood(x.shape[3] ?? 1, depthRadius);
    const zeros = () => tf.zeros(stacked(q, x.shape));
    const { x: tx = zeros(), y: ty = zeros(), dy: tdy = zeros() } = tangents;
    const s = tf.add(bias, tf.mul(alpha, sum(tf.square(x))));
    const u = tf.div(tf.mul(dy, y), s);
    const ds = tf.mul(2 * alpha, sum(tf.mul(x, tx)));
    const du = tf.div(tf.sub(tf.add(tf.mul(tdy, y), tf.mul(dy, ty)), tf.mul(u, ds)), s);
    const direct = tf.sub(
      tf.mul(tdy, tf.pow(s, -beta)),
      tf.mul(ds, tf.mul(beta, tf.mul(dy, tf.pow(s, -beta - 1)))),
    );
    return tf.sub(direct, tf.mul(2 * alpha * beta, tf.add(tf.mul(tx, sum(u)), tf.mul(x, sum(du)))));
  },
);

export const NORMALIZATION: Readonly<Record<string, Rule>> = {
  FusedBatchNorm: batchNorm,
  LRN: localResponse,
  LRNGrad: localResponseGrad,
};
