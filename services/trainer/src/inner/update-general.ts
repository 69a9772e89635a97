/** The derivatives of any optimizer's update, by forward and reverse mode over its `tf.*` code. */

import * as tf from '@tensorflow/tfjs-core';
import { gradients } from '../ad/engine.ts';
import { jvp, type Directions as Tangents } from '../ad/jvp.ts';
import { onBackend } from './flat.ts';
import type { Layer } from './hyperparameter.ts';
import type { InnerOptimizer, Rows } from './optimizer.ts';
import { type RowsMap, updateOf } from './rows-map.ts';
import type { Numbers, Update } from './update.ts';
import { averageMember } from './weight-average.ts';

/** @param values each `[1]` or `[layers]`. */
export function generalUpdate(optimizer: InnerOptimizer, layers: readonly Layer[], values: Numbers): Update {
  const members = 1 + optimizer.buffers.length;
  const ofState = (state: readonly Rows[]) => {
    const [weights, ...buffers] = state.slice(0, members) as [Rows, ...Rows[]];
    return { weights, buffers };
  };
  const theta = generalMap(layers, values, (rows, entries) => {
    const { weights, buffers } = ofState(rows);
    const gradient = rows[members] as Rows;
    const next = optimizer.update({ weights, buffers, gradient, values: entries });
    const moved = [next.change, ...next.buffers];
    return moved.map((each, o) => (isChange(optimizer, o) ? tf.add(rows[o] as Rows, each) : each));
  });
  const point =
    optimizer.gradientPoint &&
    generalMap(layers, values, (rows, entries) => [
      optimizer.gradientPoint?.({ ...ofState(rows), values: entries }) as tf.Tensor,
    ]);
  return updateOf(theta, point);
}

/** Whether an update gives the change of a member of the state, and not what is next. */
export const isChange = (optimizer: InnerOptimizer, member: number): boolean =>
  member === 0 || member === averageMember(optimizer);

/** @param f of rows `[r, p]`, and values as they enter an update; it gives rows. */
function generalMap(
  layers: readonly Layer[],
  values: Numbers,
  f: (rows: Rows[], values: Record<string, tf.Tensor2D>) => tf.Tensor[],
): RowsMap {
  const names = [...values.keys()];
  const sizeOf = (name: string): number => values.get(name)?.length ?? 0;
  const valueRows = () =>
    names.map((name) => onBackend<tf.Rank.R2>(values.get(name) as Float64Array, [1, sizeOf(name)]));
  /** Of rows, then values `[r, n]`. */
  const mapped = (inputs: readonly tf.Tensor[]): Rows[] => {
    const count = inputs.length - names.length;
    const entries = names.map((name, i) => [name, spread(inputs[count + i] as tf.Tensor2D, layers)]);
    return f(inputs.slice(0, count) as Rows[], Object.fromEntries(entries)) as Rows[];
  };

  return {
    apply: (rows) => mapped([...rows, ...valueRows()]),

    pushforward(rows, { count, ...directions }) {
      const ofRows = directions.rows.map((row): Tangents => row && tf.reshape(row, [count, 1, -1]));
      const ofValues = names.map((name): Tangents => {
        const direction = directions.values.get(name);
        return direction ? onBackend<tf.Rank.R3>(direction, [count, 1, sizeOf(name)]) : null;
      });
      const { value, tangents } = jvp(
        (inputs) => tf.concat(mapped(inputs), 0),
        [...rows, ...valueRows()],
        [...ofRows, ...ofValues],
      );
      const [outputs] = value.shape as [number];
      return {
        rows: tf.split(value, outputs, 0) as Rows[],
        directions: tf.split(tangents, outputs, 1).map((each) => tf.reshape(each, [count, -1])) as Rows[],
      };
    },

    pullback(rows, adjoints, wanted) {
      const m = adjoints[0]?.shape[0] ?? 0;
      const copies = [...rows, ...valueRows()].map((row) => tf.tile(row, [m, 1]));
      const along = tf.concat([...adjoints], 0);
      const { grads } = gradients(() => tf.sum(tf.mul(tf.concat(mapped(copies), 0), along)), copies);
      // There is none by an input that is not used.
      const gradBy = (i: number): tf.Tensor => grads[i] ?? tf.zerosLike(copies[i] as tf.Tensor);
      return {
        rows: rows.map((_, i) => gradBy(i)) as Rows[],
        values: new Map(
          wanted.map((name) => {
            const grad = gradBy(rows.length + names.indexOf(name));
            return [name, Float64Array.from(grad.dataSync())];
          }),
        ),
      };
    },
  };
}

/** Values `[r, n]` as they enter an update: `[r, 1]`, or one for each weight, `[r, p]`. */
function spread(values: tf.Tensor2D, layers: readonly Layer[]): tf.Tensor2D {
  const [r, n] = values.shape;
  if (n === 1) return values;
  const columns = tf.split(values, n, 1);
  return tf.concat(
    // A product, as tfjs adds up the gradient of broadcastTo one copy at a time.
    layers.map(({ size }, i) => tf.mul(columns[i] as tf.Tensor2D, tf.ones([r, size]))),
    1,
  );
}
