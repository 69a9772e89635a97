/** Matrix products. */

import * as tf from '@tensorflow/tfjs-core';
import { runKernel } from '../engine.ts';
import { aligned, dim, fold, listRule, plus, type Rule, rule, stacked, type Tangent } from './rule.ts';

interface MatMulAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/**
 * d(AB) = dA·B + A·dB, each term one product of batches: the tangents are a further batch axis in front. All batch axes
 * become one, because TensorFlow with oneDNN writes past the end of its memory for `[q, 1, m, k] · [1, 1, k, n]`.
 */
export const batchMatMul = rule<'a' | 'b', MatMulAttributes>(
  ({ primals: { a, b }, tangents, q, attributes, output }): Tangent => {
    const product = (left: tf.Tensor, right: tf.Tensor) =>
      tf.reshape(runKernel('BatchMatMul', { a: left, b: right }, attributes), shape);
    const rank = output.rank;
    const batch = output.shape.slice(0, -2);
    const shape = stacked(q, output.shape);
    const moving = (tangent: tf.Tensor) => oneBatchAxis(batched(aligned(tangent, rank), batch));
    const constant = (primal: tf.Tensor) => {
      const full = oneBatchAxis(batched(aligned(tf.expandDims(primal, 0), rank), batch));
      return full.shape[0] === 1 ? full : tf.tile(full, [q, 1, 1]);
    };

    const left = (): Tangent => {
      if (tangents.a === undefined) return undefined;
      if (rank === 2 && !attributes.transposeA) return product(fold(tangents.a), b);
      return product(moving(tangents.a), constant(b));
    };
    const right = (): Tangent => tangents.b && product(constant(a), moving(tangents.b));
    return plus(left(), right());
  },
);

const oneBatchAxis = (tensor: tf.Tensor): tf.Tensor =>
  tf.reshape(tensor, [-1, dim(tensor.shape, -2), dim(tensor.shape, -1)]);

/** `[r, ...b, m, n]` repeated to `[r, ...batch, m, n]`: backends do not agree on broadcasting two axes at once. */
function batched(tensor: tf.Tensor, batch: readonly number[]): tf.Tensor {
  const reps = batch.map((size, axis) => (dim(tensor.shape, axis + 1) === size ? 1 : size));
  return reps.every((rep) => rep === 1) ? tensor : tf.tile(tensor, [1, ...reps, 1, 1]);
}

/** Each factor in turn replaced by its tangents, whose axis is one more index that the result has in front. */
const einsum = listRule<{ equation: string }>(({ primals, tangents, attributes: { equation } }) => {
  const [operands = '', result = ''] = equation.replace(/\s/g, '').split('->');
  const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
  const free = [...letters].find((letter) => !equation.includes(letter)) ?? '';
  return tangents.reduce((sum: Tangent, tangent, i) => {
    if (tangent === undefined) return sum;
    const terms = operands.split(',').map((indices, j) => (j === i ? free + indices : indices));
    const factors = primals.map((primal, j) => (j === i ? tangent : primal));
    return plus(sum, tf.einsum(`${terms.join(',')}->${free}${result}`, ...factors));
  }, undefined);
});

export const LINEAR_ALGEBRA: Readonly<Record<string, Rule>> = { BatchMatMul: batchMatMul, Einsum: einsum };
