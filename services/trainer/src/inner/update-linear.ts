/**
 * The derivatives of an update that is linear in the state and the gradient: it and all its derivatives are products with
 * one small matrix of coefficients.
 */

import * as tf from '@tensorflow/tfjs-core';
import {
  type Coefficients,
  coefficientsByShare,
  type Matrix,
  type UpdateCoefficients,
} from './linear-coefficients.ts';
import type { InnerOptimizer, Rows } from './optimizer.ts';
import { type RowsMap, updateOf } from './rows-map.ts';
import type { Numbers, Update, UpdateFactory } from './update.ts';
import { isChange } from './update-general.ts';
import { SHARE } from './weight-average.ts';

/** Remembers the coefficients of the latest values, which stay the same over a window; only the share changes with every step. */
export function linearUpdates(optimizer: InnerOptimizer): UpdateFactory {
  let latest: { readonly key: string; readonly at: (share: number) => UpdateCoefficients } | undefined;
  return (values) => {
    const given = new Map([...values].filter(([name]) => name !== SHARE));
    const key = [...given].join(';');
    if (latest?.key !== key) latest = { key, at: coefficientsByShare(optimizer, given) };
    return linearUpdate(optimizer, latest.at(values.get(SHARE)?.[0] ?? 0));
  };
}

function linearUpdate(optimizer: InnerOptimizer, { theta, point }: UpdateCoefficients): Update {
  const changes = theta.of.map((_, member) => isChange(optimizer, member));
  return updateOf(linearMap(theta, changes), point && linearMap(point, [false]));
}

/** @param changes which outputs are to be added to the input in the same place. */
function linearMap({ of, slopes }: Coefficients, changes: readonly boolean[]): RowsMap {
  const outputs = of.length;
  const plus = (moved: readonly tf.Tensor[], rows: readonly (Rows | null)[]): Rows[] =>
    moved.map((each, o) => (changes[o] && rows[o] ? tf.add(each, rows[o]) : each)) as Rows[];

  return {
    apply: (rows) =>
      of.map((coefficients, o) => combination(coefficients, rows, changes[o] ? rows[o] : undefined)),

    pushforward(rows, { count, rows: directions, values }) {
      const present = directions.flatMap((along, input) => (along ? [{ along, input }] : []));
      const matrix = pushMatrix(
        { of, slopes },
        { count, values },
        present.map(({ input }) => input),
      );
      const all = tf.concat([...rows, ...present.map(({ along }) => along)], 0);
      const sizes = [...of.map(() => 1), ...of.map(() => count)];
      const moved = tf.split(tf.matMul(matrix, all), sizes, 0);
      return {
        rows: plus(moved.slice(0, outputs), rows),
        directions: plus(moved.slice(outputs), directions),
      };
    },

    pullback(rows, adjoints, wanted) {
      const values = new Map<string, Float64Array>();
      if (wanted.length > 0) {
        const point = tf.concat([...rows], 0);
        // For each output o: [m, inputs], its adjoints times what it is made from.
        const products = adjoints.map((each) => tf.matMul(each, point, false, true).dataSync());
        for (const name of wanted) values.set(name, pulledValue(slopes.get(name) ?? [], products));
      }
      const column = (input: number) => of.map((coefficients) => coefficients[input] ?? Number.NaN);
      return {
        rows: rows.map((_, i) => combination(column(i), adjoints, changes[i] ? adjoints[i] : undefined)),
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
  const inputs = slope[0]?.length ?? 0;
  const m = (products[0]?.length ?? 0) / inputs;
  return Float64Array.from({ length: m }, (_, j) =>
    slope
      .flatMap((row, o) => row.map((x, i) => x * (products[o]?.[j * inputs + i] ?? Number.NaN)))
      .reduce((sum, x) => sum + x, 0),
  );
}

/**
 * The matrix that makes the rows of all outputs and then, output by output, of their derivatives, from the rows of all
 * inputs and then, input by input, of those inputs' directions that are present.
 */
function pushMatrix(
  { of, slopes }: Coefficients,
  { count, values }: { readonly count: number; readonly values: Numbers },
  present: readonly number[],
): tf.Tensor2D {
  const inputs = of[0]?.length ?? 0;
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
