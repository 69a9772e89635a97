/** DMD with control (Proctor, Brunton and Kutz, 2016): windows of one training, pooled, with φ as the input that each of them had. */

import { EigenvalueDecomposition, Matrix, solve } from 'ml-matrix';

/** A window while φ was held. */
export interface HeldRows {
  /** Oldest first, `[σ][q]`. */
  readonly rows: readonly (readonly number[])[];
  /** The point φ, `[q]`. */
  readonly input: readonly number[];
}

/** Of the largest squares that a coefficient is fitted from: what is not in the windows stays near 0. */
const RIDGE = 1e-3;

/**
 * The fixed point of h_{t+1} = A h_t + B(φ_w − φ) + c at the last window's φ, by ridge least squares over all pairs of neighbouring rows of
 * all windows, each component divided by its largest value. An A whose spectral radius is above `clip` is divided down to it, and c fitted
 * again.
 *
 * @param windows oldest first, of the same components; at least one with two rows.
 * @returns `[q]`; undefined where nothing moved at all, or a row is not finite.
 */
export function fixedPointWithInput(windows: readonly HeldRows[], clip: number): number[] | undefined {
  const here = windows.at(-1)?.input ?? [];
  const sizes = here.map((_, k) =>
    Math.max(...windows.flatMap(({ rows }) => rows.map((row) => Math.abs(row[k] ?? Number.NaN)))),
  );
  if (!sizes.every((size) => Number.isFinite(size) && size > 0)) return undefined;
  const pairs = windows.flatMap(({ rows, input }) => {
    const inputs = input.map((value, k) => value - (here[k] ?? 0));
    const scaled = rows.map((row) => row.map((value, k) => value / (sizes[k] ?? 1)));
    return scaled.slice(1).map((next, t) => ({ row: scaled[t] ?? [], inputs, next }));
  });
  const [x, u, y] = [
    new Matrix(pairs.map(({ row }) => row)),
    new Matrix(pairs.map(({ inputs }) => inputs)),
    new Matrix(pairs.map(({ next }) => next)),
  ];
  const q = here.length;
  const coefficients = ridge(besides([x, u, Matrix.ones(pairs.length, 1)]), y);
  const inputs = coefficients.subMatrix(q, 2 * q - 1, 0, q - 1);
  const map = clipped(coefficients.subMatrix(0, q - 1, 0, q - 1), clip);
  const left = Matrix.sub(y, Matrix.add(x.mmul(map), u.mmul(inputs)));
  const constant = Matrix.rowVector(left.mean('column'));
  const limit = solve(Matrix.sub(Matrix.eye(q), map).transpose(), constant.transpose());
  return limit.to1DArray().map((value, k) => value * (sizes[k] ?? 1));
}

/** Columns of all of them. */
const besides = (parts: readonly Matrix[]): Matrix =>
  new Matrix(Array.from({ length: parts[0]?.rows ?? 0 }, (_, i) => parts.flatMap((part) => part.getRow(i))));

/** The last column, of ones, is not held back. */
function ridge(x: Matrix, y: Matrix): Matrix {
  const squares = x.transpose().mmul(x);
  const strength = RIDGE * Math.max(...squares.diagonal());
  for (let i = 0; i < squares.rows - 1; i++) squares.set(i, i, squares.get(i, i) + strength);
  return solve(squares, x.transpose().mmul(y), true);
}

function clipped(map: Matrix, clip: number): Matrix {
  const { realEigenvalues, imaginaryEigenvalues } = new EigenvalueDecomposition(map);
  const radius = Math.max(
    ...realEigenvalues.map((real, i) => Math.hypot(real, imaginaryEigenvalues[i] ?? 0)),
  );
  return radius > clip ? Matrix.mul(map, clip / radius) : map;
}
