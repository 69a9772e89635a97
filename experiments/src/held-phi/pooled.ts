/** Estimates from all windows of a training so far, and not from its last alone. */

import { EigenvalueDecomposition, Matrix, solve } from 'ml-matrix';
import { sizesOf } from '../sizes.ts';

/** A window while φ was held. */
export interface HeldRows {
  /** Oldest first, `[σ][q]`. */
  readonly rows: readonly (readonly number[])[];
  /** The point φ, `[q]`. */
  readonly input: readonly number[];
}

/** Of the largest sum of squares that a coefficient is fitted from: what is not in the windows stays near 0. */
const RIDGE = 1e-3;

/**
 * DMD with control (Proctor, Brunton and Kutz, 2016): the fixed point of h_{t+1} = A h_t + B(φ_w − φ) + c at the last window's φ, by ridge
 * least squares over all pairs of neighbouring rows of all windows, each component divided by its largest value. An A whose spectral radius
 * is above `clip` is divided down to it, and c fitted again.
 *
 * @param windows oldest first, of the same components; at least one with two rows.
 * @returns `[q]`; undefined where a component did not move at all, or a row is not finite.
 */
export function fixedPointWithInput(windows: readonly HeldRows[], clip: number): number[] | undefined {
  const here = windows.at(-1)?.input ?? [];
  const sizes = usableSizesOf(windows.flatMap(({ rows }) => rows));
  if (sizes === undefined) return undefined;
  const q = here.length;
  const pairs = windows.map((window) => pairsOf(window, sizes));
  const inputs = windows.flatMap(({ rows, input }) => {
    const difference = input.map((value, k) => value - (here[k] ?? 0));
    return rows.slice(1).map(() => difference);
  });
  const x = stacked(pairs.map(({ from }) => from));
  const y = stacked(pairs.map(({ to }) => to));
  const u = new Matrix(inputs);
  const coefficients = ridge(beside([x, u, Matrix.ones(x.rows, 1)]), y, 1);
  const map = clipped(coefficients.subMatrix(0, q - 1, 0, q - 1), clip);
  const steered = u.mmul(coefficients.subMatrix(q, 2 * q - 1, 0, q - 1));
  const left = Matrix.sub(y, Matrix.add(x.mmul(map), steered));
  return unscaled(solved(map, left.mean('column')), sizes);
}

/**
 * One map A for all windows, each with an offset and sizes of its own: the fixed point of the last one's, x̄ + (I − A)⁻¹(ȳ − x̄) for the
 * means of its rows without the last and without the first.
 *
 * @param windows as in {@link fixedPointWithInput}, and so is what is returned.
 */
export function fixedPointOfSharedMap(windows: readonly HeldRows[], clip: number): number[] | undefined {
  const centred: { from: Matrix; to: Matrix }[] = [];
  let last: { means: number[]; step: number[]; sizes: number[] } | undefined;
  for (const window of windows) {
    const sizes = usableSizesOf(window.rows);
    if (sizes === undefined) return undefined;
    const { from, to } = pairsOf(window, sizes);
    const [means, after] = [from.mean('column'), to.mean('column')];
    centred.push({ from: from.subRowVector(means), to: to.subRowVector(after) });
    last = { means, step: after.map((value, k) => value - (means[k] ?? 0)), sizes };
  }
  if (last === undefined) return undefined;
  const [x, y] = [stacked(centred.map(({ from }) => from)), stacked(centred.map(({ to }) => to))];
  const ahead = solved(clipped(ridge(x, y, 0), clip), last.step);
  return unscaled(
    last.means.map((value, k) => value + (ahead[k] ?? Number.NaN)),
    last.sizes,
  );
}

/** Undefined where one is 0 or not finite. */
function usableSizesOf(rows: HeldRows['rows']): number[] | undefined {
  const sizes = sizesOf(rows);
  return sizes.every((size) => Number.isFinite(size) && size > 0) ? sizes : undefined;
}

function pairsOf({ rows }: HeldRows, sizes: readonly number[]): { from: Matrix; to: Matrix } {
  const scaled = rows.map((row) => row.map((value, k) => value / (sizes[k] ?? Number.NaN)));
  return { from: new Matrix(scaled.slice(0, -1)), to: new Matrix(scaled.slice(1)) };
}

const unscaled = (values: readonly number[], sizes: readonly number[]): number[] =>
  values.map((value, k) => value * (sizes[k] ?? Number.NaN));

const stacked = (parts: readonly Matrix[]): Matrix => new Matrix(parts.flatMap((part) => part.to2DArray()));

const beside = (parts: readonly Matrix[]): Matrix =>
  new Matrix(Array.from({ length: parts[0]?.rows ?? 0 }, (_, i) => parts.flatMap((part) => part.getRow(i))));

/** @param free how many of the last columns are not held back. */
function ridge(x: Matrix, y: Matrix, free: number): Matrix {
  const squares = x.transpose().mmul(x);
  const strength = RIDGE * Math.max(...squares.diagonal());
  for (let i = 0; i < squares.rows - free; i++) squares.set(i, i, squares.get(i, i) + strength);
  return solve(squares, x.transpose().mmul(y), true);
}

/** Rows are mapped from the left: h A. */
function clipped(map: Matrix, clip: number): Matrix {
  const { realEigenvalues, imaginaryEigenvalues } = new EigenvalueDecomposition(map);
  const radius = Math.max(
    ...realEigenvalues.map((real, i) => Math.hypot(real, imaginaryEigenvalues[i] ?? 0)),
  );
  return radius > clip ? Matrix.mul(map, clip / radius) : map;
}

/** h with h = h A + c. */
const solved = (map: Matrix, constant: readonly number[]): number[] =>
  solve(Matrix.sub(Matrix.eye(map.rows), map).transpose(), Matrix.columnVector([...constant])).to1DArray();
