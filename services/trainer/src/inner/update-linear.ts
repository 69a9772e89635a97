/**
 * The derivatives of an update that is linear in the state and the gradient: it and all its derivatives are products with
 * one small matrix of coefficients, found by applying the update to unit vectors.
 */

import * as tf from '@tensorflow/tfjs-core';
import { jvp } from '../ad/jvp.ts';
import { onBackend } from './flat.ts';
import type { InnerOptimizer, Rows } from './optimizer.ts';
import type { Directions, Numbers, Update, UpdateFactory } from './update.ts';

/**
 * Row o of `of`: coefficients of the state and the gradient in θ' − θ (o = 0) or a next buffer. θ is left out of θ' because
 * 1 − ηw in float32 would round a small weight decay away.
 */
interface Coefficients {
  readonly of: Matrix;
  /** Their derivatives by each hyperparameter. */
  readonly slopes: ReadonlyMap<string, Matrix>;
}

type Matrix = readonly (readonly number[])[];

/** Remembers the coefficients of the latest values, which stay the same over a window. */
export function linearUpdates(optimizer: InnerOptimizer): UpdateFactory {
  let latest: { readonly key: string; readonly update: Update } | undefined;
  return (values) => {
    const key = [...values].join(';');
    if (latest?.key !== key) latest = { key, update: linearUpdate(coefficients(optimizer, values)) };
    return latest.update;
  };
}

function coefficients(optimizer: InnerOptimizer, values: Numbers): Coefficients {
  const members = 1 + optimizer.buffers.length;
  const inputs = members + 1;
  const names = [...values.keys()];
  const { flat, slopes } = readAll(() => {
    const units = tf.split(tf.eye(inputs), inputs, 0) as Rows[];
    const [weights, ...others] = units as [Rows, ...Rows[]];
    const update = (rows: tf.Tensor[]) => {
      const next = optimizer.update({
        weights,
        buffers: others.slice(0, -1),
        gradient: others.at(-1) as Rows,
        values: Object.fromEntries(names.map((name, i) => [name, rows[i] as tf.Tensor2D])),
      });
      return tf.concat([next.change, ...next.buffers], 0);
    };
    const { value, tangents } = jvp(
      update,
      names.map((name) => onBackend<tf.Rank.R2>(values.get(name) as Float64Array, [1, 1])),
      names.map((_, i) => tf.reshape(tf.oneHot([i], names.length), [names.length, 1, 1]).toFloat()),
    );
    return { flat: value, slopes: tangents };
  });
  const matrix = (numbers: ArrayLike<number>, first: number): Matrix =>
    Array.from({ length: members }, (_, o) =>
      Array.from({ length: inputs }, (_unused, i) => numbers[first + o * inputs + i] ?? Number.NaN),
    );
  return {
    of: matrix(flat, 0),
    slopes: new Map(names.map((name, h) => [name, matrix(slopes, h * members * inputs)])),
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

function linearUpdate({ of, slopes }: Coefficients): Update {
  const members = of.length;

  return {
    apply({ state, gradient }) {
      const inputs = [...state, gradient];
      return of.map((coefficients, o) => combination(coefficients, inputs, o === 0 ? state[0] : undefined));
    },

    pushforward({ state, gradient }, directions) {
      const { count } = directions;
      const given = [...state.map((_, i) => directions.state?.[i]), directions.gradient];
      const present = given.flatMap((rows, input) => (rows ? [{ rows, input }] : []));
      const matrix = pushMatrix(
        { of, slopes },
        directions,
        present.map(({ input }) => input),
      );
      const rows = tf.concat([...state, gradient, ...present.map((direction) => direction.rows)], 0);
      const sizes = [...of.map(() => 1), ...of.map(() => count)];
      const moved = tf.split(tf.matMul(matrix, rows), sizes, 0);
      return {
        state: withWeights(moved.slice(0, members), state[0]),
        directions: withWeights(moved.slice(members), directions.state?.[0]),
      };
    },

    pullback({ state, gradient }, adjoints, wanted) {
      const column = (input: number) => of.map((coefficients) => coefficients[input] ?? Number.NaN);
      const values = new Map<string, Float64Array>();
      if (wanted.length > 0) {
        const point = tf.concat([...state, gradient], 0);
        // For each next member o: [m, inputs], its adjoints times what it is made from.
        const products = adjoints.map((rows) => tf.matMul(rows, point, false, true).dataSync());
        for (const name of wanted) values.set(name, pulledValue(slopes.get(name) ?? [], products));
      }
      return {
        state: state.map((_, i) => combination(column(i), adjoints, i === 0 ? adjoints[0] : undefined)),
        gradient: combination(column(members), adjoints),
        values,
      };
    },
  };
}

/** Σ_i coefficients_i rows_i, and `plus`. (Few large operands: faster than a product with so small a matrix.) */
function combination(coefficients: readonly number[], rows: readonly Rows[], plus?: Rows): Rows {
  const terms = rows.flatMap((row, i) => {
    const coefficient = coefficients[i] ?? Number.NaN;
    if (coefficient === 0) return [];
    return [coefficient === 1 ? row : tf.mul(row, coefficient)];
  });
  if (plus) terms.push(plus);
  return (terms.length === 0 ? tf.zerosLike(rows[0] as Rows) : tf.addN(terms)) as Rows;
}

/** Σ_o Σ_i slope_oi · products_o of each adjoint, `[m]`. */
function pulledValue(slope: Matrix, products: readonly ArrayLike<number>[]): Float64Array {
  const inputs = slope.length + 1;
  const m = (products[0]?.length ?? 0) / inputs;
  return Float64Array.from({ length: m }, (_, j) =>
    slope
      .flatMap((row, o) => row.map((x, i) => x * (products[o]?.[j * inputs + i] ?? Number.NaN)))
      .reduce((sum, x) => sum + x, 0),
  );
}

/** θ' from θ and θ' − θ, or the same of derivatives; buffers as they are. */
function withWeights(moved: readonly tf.Tensor[], weights: tf.Tensor | undefined): Rows[] {
  const [change, ...buffers] = moved as [Rows, ...Rows[]];
  return [weights ? tf.add(weights, change) : change, ...buffers];
}

/**
 * The matrix that makes the rows of all outputs and then, output by output, of their derivatives, from the rows of all
 * inputs and then, input by input, of those inputs' directions that are present.
 */
function pushMatrix(
  { of, slopes }: Coefficients,
  { count, values }: Directions,
  present: readonly number[],
): tf.Tensor2D {
  const inputs = of.length + 1;
  const rowOf = (numbers: Iterable<readonly [number, number]>): Float32Array => {
    const row = new Float32Array(inputs + present.length * count);
    for (const [column, number] of numbers) row[column] = (row[column] ?? 0) + number;
    return row;
  };
  const outputs = of.map((coefficients) => rowOf(coefficients.entries()));
  const derivatives = of.flatMap((coefficients, o) =>
    Array.from({ length: count }, (_, k) => {
      const own = [...slopes].flatMap(([name, slope]) => {
        const direction = values.get(name)?.[k] ?? 0;
        return (slope[o] ?? []).map((number, input) => [input, direction * number] as const);
      });
      const along = present.map(
        (input, i) => [inputs + i * count + k, coefficients[input] ?? Number.NaN] as const,
      );
      return rowOf([...own, ...along]);
    }),
  );
  return tf.tensor2d([...outputs, ...derivatives] as unknown as number[][]);
}
