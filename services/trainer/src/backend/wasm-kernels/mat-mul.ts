/** Matrix products. The package's kernel is fast for two plain matrices only, and else a naive loop. */

import * as tf from '@tensorflow/tfjs-core';
import type { Inputs, Stock } from './kernel.ts';

/** a `[..., m, k]` times b `[..., k, n]`, each possibly given transposed. */
export function batchMatMul(
  { a, b }: Inputs,
  attributes: { transposeA: boolean; transposeB: boolean },
  stock: Stock,
): tf.Tensor {
  const [first, second] = [a as tf.Tensor, b as tf.Tensor];
  const batch = tf.backend_util.assertAndGetBroadcastShape(outer(first), outer(second));
  const [countA, countB] = [sizeOf(outer(first)), sizeOf(outer(second))];
  if (countA > 1 && countB > 1) return stock({ a: first, b: second }, attributes);

  const left = plain(first, attributes.transposeA);
  const right = plain(second, attributes.transposeB);
  const [m, k, n] = [left.shape.at(-2) ?? 1, left.shape.at(-1) ?? 1, right.shape.at(-1) ?? 1];
  const product = (x: tf.Tensor, y: tf.Tensor) =>
    stock({ a: x, b: y }, { transposeA: false, transposeB: false });
  if (countB === 1) {
    // The rows of all matrices on the left under each other.
    const rows = product(tf.reshape(left, [countA * m, k]), tf.reshape(right, [k, n]));
    return tf.reshape(rows, [...batch, m, n]);
  }
  // The columns of all matrices on the right beside each other.
  const columns = tf.reshape(tf.transpose(tf.reshape(right, [countB, k, n]), [1, 0, 2]), [k, countB * n]);
  const beside = tf.reshape(product(tf.reshape(left, [m, k]), columns), [m, countB, n]);
  return tf.reshape(tf.transpose(beside, [1, 0, 2]), [...batch, m, n]);
}

const outer = (x: tf.Tensor): number[] => x.shape.slice(0, -2);
const sizeOf = (shape: number[]): number => shape.reduce((a, b) => a * b, 1);

function plain(x: tf.Tensor, transposed: boolean): tf.Tensor {
  if (!transposed) return x;
  const axes = x.shape.map((_, axis) => axis);
  return tf.transpose(x, [...axes.slice(0, -2), x.rank - 1, x.rank - 2]);
}
