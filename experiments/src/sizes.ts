/** By how much components differ: hypergradients are compared with each divided by its own size. */

/** Largest absolute value of each component over the rows; NaN where a row has NaN. */
export const sizesOf = (rows: readonly ArrayLike<number>[]): number[] =>
  Array.from(rows[0] ?? [], (_, k) => Math.max(...rows.map((row) => Math.abs(row[k] ?? Number.NaN))));

/** The same to divide by: 1 where a component is 0 throughout. */
export const divisorsOf = (rows: readonly ArrayLike<number>[]): Float64Array =>
  Float64Array.from(sizesOf(rows), (size) => size || 1);
