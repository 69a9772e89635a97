/** The hypergradients of one outer step, and plain statistics of them. */

/** Rows of equal length, oldest first. */
export type Rows = readonly Float64Array[];

export const lastRow = (rows: Rows): Float64Array => rows.at(-1) ?? new Float64Array();

/** Component-wise mean. */
export function meanRow(rows: Rows): Float64Array {
  return lastRow(rows).map((_, i) => column(rows, i).reduce((sum, x) => sum + x, 0) / rows.length);
}

/** Component-wise median; of an even number of rows the mean of the middle two. */
export function medianRow(rows: Rows): Float64Array {
  return lastRow(rows).map((_, i) => {
    const sorted = column(rows, i).sort((a, b) => a - b);
    const upper = Math.floor(sorted.length / 2);
    const lower = Math.ceil(sorted.length / 2) - 1;
    return ((sorted[lower] ?? 0) + (sorted[upper] ?? 0)) / 2;
  });
}

/** What is this many times as large as the rows are, or more, is no more to be believed. */
const MOST = 2;

/**
 * A hypergradient over the size of a window's rows: the root mean square of the component in which that is largest. At most
 * {@link MOST} either way; 0 where all rows are (docs/method.md, section 7).
 */
export function normalized(hypergradient: Float64Array, rows: Rows): Float64Array {
  // Of each component, the norm of its column; the columns themselves would be made for as many components as there are.
  const norms = new Float64Array(hypergradient.length);
  for (const row of rows)
    row.forEach((value, k) => {
      norms[k] = Math.hypot(norms[k] ?? 0, value);
    });
  const size = norms.reduce((largest, other) => Math.max(largest, other), 0) / Math.sqrt(rows.length);
  return hypergradient.map((value) => (size > 0 ? Math.max(-MOST, Math.min(MOST, value / size)) : 0));
}

export const isFiniteRow = (row: Float64Array): boolean => row.every((x) => Number.isFinite(x));

/** Euclidean norm, of any number of components. */
export const norm = (row: Float64Array): number => row.reduce((sum, x) => Math.hypot(sum, x), 0);

const column = (rows: Rows, i: number): Float64Array => Float64Array.from(rows, (row) => row[i] ?? 0);
