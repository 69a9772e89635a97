/** Kernels that reduce axes, and running sums and products. */

import * as tf from '@tensorflow/tfjs-core';
import { axesOf, dim, indicator, lifted, plus, type Rule, rule, stacked, type Tangent } from './rule.ts';

interface Reduction {
  readonly axis: number | readonly number[];
  readonly keepDims: boolean;
}

/** A linear reduction acts on each tangent as on the primal. */
const linear = (reduce: (t: tf.Tensor, axes: number[], keepDims: boolean) => tf.Tensor): Rule =>
  rule<'x', Reduction>(
    ({ primals: { x }, tangents, attributes: { axis, keepDims } }) =>
      tangents.x && reduce(tangents.x, lifted(axesOf(axis, x.rank)), keepDims),
  );

/** The tangent of the extremal element; of several equal ones the mean. */
const extremum = rule<'x', Partial<Reduction> & { reductionIndices?: number | readonly number[] }>(
  ({ primals: { x }, tangents, output, attributes: { axis, reductionIndices, keepDims } }): Tangent => {
    if (tangents.x === undefined) return undefined;
    // Max calls its axes reductionIndices, Min axis.
    const axes = axesOf(reductionIndices ?? axis, x.rank);
    const kept = x.shape.map((size, i) => (axes.includes(i) ? 1 : size));
    const chosen = indicator(tf.equal(x, tf.reshape(output, kept)));
    const share = tf.div(chosen, tf.sum(chosen, axes, true));
    return tf.sum(tf.mul(tangents.x, share), lifted(axes), keepDims);
  },
);

/** dy = Σ_i t_i Π_{j≠i} x_j, the other factors as products of those before and those after: right at zeros too. */
const product = rule<'x', Partial<Reduction>>(({ primals: { x }, tangents, output, q, attributes }) => {
  if (tangents.x === undefined) return undefined;
  const axes = axesOf(attributes.axis, x.rank);
  const others = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const factors = tf.reshape(tf.transpose(x, [...others, ...axes]), [output.size, -1]);
  const directions = tf.transpose(tangents.x, [0, ...lifted([...others, ...axes])]);
  const slope = tf.mul(tf.cumprod(factors, 1, true, false), tf.cumprod(factors, 1, true, true));
  const sum = tf.sum(tf.mul(tf.reshape(directions, stacked(q, factors.shape)), slope), 2);
  return tf.reshape(sum, stacked(q, output.shape));
});

/** The tangents of the largest elements of each row. */
const topK = rule<'x'>(({ primals: { x }, tangents, outputs, q }) => {
  const [values, indices] = outputs as [tf.Tensor, tf.Tensor];
  const rows = (tensor: tf.Tensor) => tf.reshape(tensor, [-1, dim(tensor.shape, -1)]);
  const places = tf.tile(rows(indices), [q, 1]);
  const found = tangents.x && tf.gather(tf.reshape(tangents.x, [-1, dim(x.shape, -1)]), places, 1, 1);
  return [found && tf.reshape(found, stacked(q, values.shape)), undefined];
});

interface Running {
  readonly axis: number;
  readonly exclusive: boolean;
  readonly reverse: boolean;
}

const runningSum = rule<'x', Running>(({ tangents, attributes: { axis, exclusive, reverse } }) => {
  return tangents.x && tf.cumsum(tangents.x, axis + 1, exclusive, reverse);
});

/** The sum over factors of the running product with that factor replaced by its tangent, from that factor on. */
const runningProduct = rule<'x', Running>(({ primals: { x }, tangents, attributes }): Tangent => {
  const direction = tangents.x;
  if (direction === undefined) return undefined;
  const { axis, exclusive, reverse } = attributes;
  const length = dim(x.shape, axis);
  const along = x.shape.map((_, i) => (i === axis ? length : 1));
  return Array.from({ length }, (_, k): Tangent => {
    const position = tf.reshape(tf.range(0, length), along);
    const here = indicator(tf.equal(position, k));
    const replaced = tf.add(tf.mul(x, tf.sub(1, here)), tf.mul(direction, here));
    const from = reverse ? tf.lessEqual(position, k) : tf.greaterEqual(position, k);
    const counts = exclusive ? tf.logicalAnd(from, tf.notEqual(position, k)) : from;
    return tf.mul(tf.cumprod(replaced, axis + 1, exclusive, reverse), indicator(counts));
  }).reduce(plus);
});

export const REDUCTION: Readonly<Record<string, Rule>> = {
  Sum: linear((t, axes, keepDims) => tf.sum(t, axes, keepDims)),
  Mean: linear((t, axes, keepDims) => tf.mean(t, axes, keepDims)),
  Max: extremum,
  Min: extremum,
  Prod: product,
  TopK: topK,
  Cumsum: runningSum,
  Cumprod: runningProduct,
};
