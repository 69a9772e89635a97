/** The derivatives of any optimizer's update, by forward and reverse mode over its `tf.*` code. */

import * as tf from '@tensorflow/tfjs-core';
import { jvp, type Directions as Tangents } from '../ad/jvp.ts';
import { onBackend } from './flat.ts';
import type { Layer } from './hyperparameter.ts';
import type { InnerOptimizer, Rows } from './optimizer.ts';
import type { Numbers, Update } from './update.ts';

/** @param values each `[1]` or `[layers]`. */
export function generalUpdate(optimizer: InnerOptimizer, layers: readonly Layer[], values: Numbers): Update {
  const names = [...values.keys()];
  const members = 1 + optimizer.buffers.length;
  const valueRows = () =>
    names.map((name) => onBackend<tf.Rank.R2>(values.get(name) as Float64Array, [1, sizeOf(name)]));
  const sizeOf = (name: string): number => values.get(name)?.length ?? 0;

  /** Θ of r states at once: weights, buffers, gradient `[r, p]`, values `[r, n]`. */
  function theta(inputs: readonly tf.Tensor[]): tf.Tensor[] {
    const [weights, ...buffers] = inputs.slice(0, members) as [Rows, ...Rows[]];
    const gradient = inputs[members] as Rows;
    const entries = names.map((name, i) => [name, spread(inputs[members + 1 + i] as tf.Tensor2D, layers)]);
    const next = optimizer.update({ weights, buffers, gradient, values: Object.fromEntries(entries) });
    return [tf.add(weights, next.change), ...next.buffers];
  }

  return {
    apply: ({ state, gradient }) => theta([...state, gradient, ...valueRows()]) as Rows[],

    pushforward({ state, gradient }, { count, ...directions }) {
      const along = (rows: Rows | null | undefined): Tangents =>
        rows ? tf.reshape(rows, [count, 1, -1]) : null;
      const ofValues = names.map((name): Tangents => {
        const direction = directions.values.get(name);
        return direction ? onBackend<tf.Rank.R3>(direction, [count, 1, sizeOf(name)]) : null;
      });
      const { value, tangents } = jvp(
        (inputs) => tf.concat(theta(inputs) as Rows[], 0),
        [...state, gradient, ...valueRows()],
        [...state.map((_, i) => along(directions.state?.[i])), along(directions.gradient), ...ofValues],
      );
      return {
        state: tf.split(value, members, 0) as Rows[],
        directions: tf.split(tangents, members, 1).map((member) => tf.reshape(member, [count, -1])) as Rows[],
      };
    },

    pullback({ state, gradient }, adjoints, wanted) {
      const m = adjoints[0]?.shape[0] ?? 0;
      const copies = [...state, gradient, ...valueRows()].map((row) => tf.tile(row, [m, 1]));
      const grads = tf.grads((...inputs: tf.Tensor[]) => tf.concat(theta(inputs), 0))(
        copies,
        tf.concat([...adjoints], 0),
      );
      return {
        state: grads.slice(0, members) as Rows[],
        gradient: grads[members] as Rows,
        values: new Map(
          wanted.map((name) => {
            const grad = grads[members + 1 + names.indexOf(name)] as tf.Tensor;
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
    layers.map(({ size }, i) => tf.broadcastTo(columns[i] as tf.Tensor2D, [r, size])),
    1,
  );
}
