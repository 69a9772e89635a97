/** Where a hypergradient went, by what was measured later. */

import type { OuterStep } from '@glocal/sdk';

/** Mean of the rows of a window; undefined where it has none, or none that is finite. */
export function headingOf(step: OuterStep | undefined): Float64Array | undefined {
  const rows = step?.window?.hypergradients ?? [];
  const [first] = rows;
  if (first === undefined || rows.some((row) => !row.every(Number.isFinite))) return undefined;
  return first.map((_, i) => rows.reduce((sum, row) => sum + (row[i] ?? 0), 0) / rows.length);
}

/**
 * Of two vectors of one length; 0 where one of them is 0.
 * @param sizes that components are divided by, so that the largest does not decide alone.
 */
export function cosineOf(a: ArrayLike<number>, b: ArrayLike<number>, sizes: ArrayLike<number>): number {
  const dot = (x: ArrayLike<number>, y: ArrayLike<number>): number =>
    Array.from(x).reduce((sum, value, i) => sum + (value * (y[i] ?? 0)) / (sizes[i] ?? 1) ** 2, 0);
  const size = Math.sqrt(dot(a, a) * dot(b, b));
  return size === 0 ? 0 : dot(a, b) / size;
}
