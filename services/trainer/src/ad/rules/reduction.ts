/** Kernels that reduce axes. */

import * as tf from '@tensorflow/tfjs-core';
import { axesOf, indicator, lifted, type Rule, rule, type Tangent } from './rule.ts';

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

export const REDUCTION: Readonly<Record<string, Rule>> = {
  Sum: linear((t, axes, keepDims) => tf.sum(t, axes, keepDims)),
  Mean: linear((t, axes, keepDims) => tf.mean(t, axes, keepDims)),
  Max: extremum,
  Min: extremum,
};
