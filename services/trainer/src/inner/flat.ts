/** Between the flat vectors in which θ and its sensitivity are kept, and the tensors that a model takes. */

import * as tf from '@tensorflow/tfjs-core';
import { type ModelParameter, sizeOf } from '../model/model.ts';

/** Rows `[r, p]` as one tensor `[...lead, ...shape]` for each parameter; `lead` has r elements in all. */
export function unflatten(
  rows: tf.Tensor2D,
  parameters: readonly ModelParameter[],
  lead: readonly number[],
): tf.Tensor[] {
  const parts = tf.split(
    rows,
    parameters.map(({ shape }) => sizeOf(shape)),
    1,
  );
  return parameters.map(({ shape }, i) => tf.reshape(parts[i] as tf.Tensor, [...lead, ...shape]));
}

/** The inverse: tensors with r leading rows each as `[r, p]`. */
export function flatten(tensors: readonly tf.Tensor[], rows: number): tf.Tensor2D {
  return tf.concat(
    tensors.map((tensor) => tf.reshape(tensor, [rows, -1]) as tf.Tensor2D),
    1,
  );
}

/** Numbers of the host as float32. */
export const onBackend = <R extends tf.Rank>(numbers: Float64Array, shape: tf.ShapeMap[R]): tf.Tensor<R> =>
  tf.tensor<R>(Float32Array.from(numbers), shape);
