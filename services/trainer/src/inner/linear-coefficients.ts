/** The coefficients of an update that is linear in the state and the gradient, found by applying it to unit vectors. */

import * as tf from '@tensorflow/tfjs-core';
import { jvp } from '../ad/jvp.ts';
import { onBackend } from './flat.ts';
import type { InnerOptimizer, Rows, UpdateInputs } from './optimizer.ts';
import type { Numbers } from './update.ts';
import { SHARE } from './weight-average.ts';

/**
 * Row o of `of`: coefficients of the inputs in output o. An output that is a change, θ' − θ, leaves θ itself out, because
 * 1 − ηw in float32 would round a small weight decay away.
 */
export interface Coefficients {
  readonly of: Matrix;
  /** Their derivatives by each hyperparameter. */
  readonly slopes: ReadonlyMap<string, Matrix>;
}

export type Matrix = readonly (readonly number[])[];

/** Of an update; without a point the gradient is taken at the weights. */
export interface UpdateCoefficients {
  readonly theta: Coefficients;
  readonly point: Coefficients | undefined;
}

/** At certain values, by the share of the newest weights in an average: affine in it, so that those at 0 and at 1 give all others. */
export function coefficientsByShare(
  optimizer: InnerOptimizer,
  given: Numbers,
): (share: number) => UpdateCoefficients {
  const none = coefficients(optimizer, given, 0);
  if (optimizer.average === undefined) return () => none;
  const all = coefficients(optimizer, given, 1);
  return (share) => ({ ...none, theta: between(none.theta, all.theta, share) });
}

function between(none: Coefficients, all: Coefficients, share: number): Coefficients {
  const mixed = (from: Matrix, to: Matrix | undefined): Matrix =>
    from.map((row, o) => row.map((x, i) => x + share * ((to?.[o]?.[i] ?? Number.NaN) - x)));
  return {
    of: mixed(none.of, all.of),
    slopes: new Map([...none.slopes].map(([name, slope]) => [name, mixed(slope, all.slopes.get(name))])),
  };
}

function coefficients(optimizer: InnerOptimizer, given: Numbers, share: number): UpdateCoefficients {
  const members = 1 + optimizer.buffers.length;
  const names = [...given.keys()];
  /** Of a function of as many inputs. */
  const read = (inputs: number, f: (inputs: UpdateInputs) => readonly tf.Tensor[]): Coefficients => {
    const { flat, slopes } = readAll(() => {
      const units = tf.split(tf.eye(inputs), inputs, 0) as Rows[];
      const [weights, ...others] = units as [Rows, ...Rows[]];
      const newest = tf.tensor2d([[share]]);
      const applied = (rows: tf.Tensor[]) => {
        const values = Object.fromEntries(names.map((name, i) => [name, rows[i] as tf.Tensor2D]));
        const buffers = others.slice(0, members - 1);
        const gradient = units[members] as Rows;
        return tf.concat([...f({ weights, buffers, gradient, values: { ...values, [SHARE]: newest } })], 0);
      };
      const { value, tangents } = jvp(
        applied,
        names.map((name) => onBackend<tf.Rank.R2>(given.get(name) as Float64Array, [1, 1])),
        names.map((_, i) => tf.reshape(tf.oneHot([i], names.length), [names.length, 1, 1]).toFloat()),
      );
      return { flat: value, slopes: tangents };
    });
    const outputs = flat.length / inputs;
    const matrix = (numbers: ArrayLike<number>, first: number): Matrix =>
      Array.from({ length: outputs }, (_, o) =>
        Array.from({ length: inputs }, (_unused, i) => numbers[first + o * inputs + i] ?? Number.NaN),
      );
    return {
      of: matrix(flat, 0),
      slopes: new Map(names.map((name, h) => [name, matrix(slopes, h * outputs * inputs)])),
    };
  };
  return {
    theta: read(members + 1, (inputs) => {
      const { change, buffers } = optimizer.update(inputs);
      return [change, ...buffers];
    }),
    point:
      optimizer.gradientPoint && read(members, (inputs) => [optimizer.gradientPoint?.(inputs) as tf.Tensor]),
  };
}

function readAll(make: () => { readonly flat: tf.Tensor; readonly slopes: tf.Tensor }) {
  let read: { flat: ArrayLike<number>; slopes: ArrayLike<number> } = { flat: [], slopes: [] };
  tf.tidy(() => {
    const { flat, slopes } = make();
    read = { flat: flat.dataSync<'float32'>(), slopes: slopes.dataSync<'float32'>() };
  });
  return read;
}
