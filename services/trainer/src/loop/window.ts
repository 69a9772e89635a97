/** The hypergradients of one outer step, and plain statistics of them. */

/** Rows of equal length, oldest first. */
export type Rows = readonly Float64Array[];

export const lastRow = (rows: Rows): Float64Array => rows.at(-1) ?? new Float64Array();

/** Component-wise mean. */
export function meanRow(rows: Rows): Float64Array {
  // Row by row: there may be a hundred thousand components, and a copy of the column of each takes a second.
  const sums = new Float64Array(lastRow(rows).length);
  for (const row of rows) {
    for (let k = 0; k < sums.length; k++) sums[k] = (sums[k] as number) + (row[k] as number);
  }
  for (let k = 0; k < sums.length; k++) sums[k] = (sums[k] as number) / rows.length;
  return sums;
}

/** Component-wise median; of an even number of rows the mean of the middle two. */
export function medianRow(rows: Rows): Float64Array {
  const column = new Float64Array(rows.length);
  const upper = Math.floor(rows.length / 2);
  const lower = Math.ceil(rows.length / 2) - 1;
  return lastRow(rows).map((_, k) => {
    for (const [i, row] of rows.entries()) column[i] = at(row, k);
    column.sort();
    return (at(column, lower) + at(column, upper)) / 2;
  });
}

/** What is this many times as large as the rows are, or more, is no more to be believed. */
export const MOST_BY_SIZE = 2;

/**
 * A hypergradient over the size of a window's rows: the root mean square of the component in which that is largest. At most
 * {@link MOST_BY_SIZE} either way; 0 where all rows are (docs/method.md, section 7).
 */
export function normalized(hypergradient: Float64Array, rows: Rows): Float64Array {
  const size = largestColumnNorm(rows) / Math.sqrt(rows.length);
  return hypergradient.map((value) =>
    size > 0 ? Math.max(-MOST_BY_SIZE, Math.min(MOST_BY_SIZE, value / size)) : 0,
  );
}

export function isFiniteRow(row: Float64Array): boolean {
  // What is not finite times 0 is NaN, and so is every sum with it: without a branch this takes half the time.
  let zero = 0;
  for (let k = 0; k < row.length; k++) zero += (row[k] as number) * 0;
  return zero === 0;
}

/** Euclidean norm, of any number of components. */
export function norm(row: Float64Array): number {
  let squares = 0;
  for (let k = 0; k < row.length; k++) squares += (row[k] as number) * (row[k] as number);
  return isPrecise(squares) ? Math.sqrt(squares) : row.reduce((sum, x) => Math.hypot(sum, x), 0);
}

/** Of all components the largest norm of what the rows have of it. */
function largestColumnNorm(rows: Rows): number {
  const squares = new Float64Array(lastRow(rows).length);
  for (const row of rows) {
    for (let k = 0; k < squares.length; k++) {
      const value = row[k] as number;
      squares[k] = (squares[k] as number) + value * value;
    }
  }
  const largest = squares.reduce((most, sum) => Math.max(most, sum), 0);
  if (isPrecise(largest)) return Math.sqrt(largest);
  const norms = squares.map((_, k) => rows.reduce((sum, row) => Math.hypot(sum, at(row, k)), 0));
  return norms.reduce((most, other) => Math.max(most, other), 0);
}

/** Whether a sum of squares has all its digits: it is finite, and what was too small to be squared is too small to count. */
const isPrecise = (squares: number): boolean => squares > 1e-250 && squares < Number.POSITIVE_INFINITY;

const at = (row: Float64Array, k: number): number => row[k] ?? 0;
