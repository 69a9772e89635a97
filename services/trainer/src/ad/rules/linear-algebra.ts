/** Matrix products. */

import * as tf from '@tensorflow/tfjs-core';
import { runKernel } from '../engine.ts';
import { aligned, dim, fold, listRule, plus, type Rule, rule, stacked, type Tangent } from './rule.ts';

interface MatMulAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** d(AB) = dA·B + A·dB, each term one product of batches: the tangents are a further batch axis in front. */
export const batchMatMul = rule<'a' | 'b', MatMulAttributes>(
  ({ primals: { a, b }, tangents, q, attributes, output }): Tangent => {
    const product = (left: tf.Tensor, right: tf.Tensor) =>
      runKernel('BatchMatMul', { a: left, b: right }, attributes);
    const rank = output.rank;
    const batch = output.shape.slice(0, -2);
    const shape = stacked(q, output.shape);

    const left = (): Tangent => {
      if (tangents.a === undefined) return undefined;
      if (rank === 2 && !attributes.transposeA) return tf.reshape(product(fold(tangents.a), b), shape);
      return product(batched(aligned(tangents.a, rank), batch), constant(b, rank, batch));
    };
    const right = (): Tangent =>
      tangents.b && product(constant(a, rank, batch), batched(aligned(tangents.b, rank), batch));
    return plus(left(), right());
  },
);

/** A primal with a batch axis of size 1 where its partner has the tangents. */
function constant(primal: tf.Tensor, rank: number, batch: readonly number[]): tf.Tensor {
  return batched(aligned(tf.expandDims(primal, 0), rank), batch);
}

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
