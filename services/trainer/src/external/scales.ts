/** The sizes of components by which the DMD service can begin with a window before its last row has come. */

import { Scaling } from '@glocal/proto/glocal/v1/dmd';
import { Estimator } from '@glocal/proto/glocal/v1/study';
import type { Rows } from '../loop/window.ts';
import type { CompleteMethod } from '../resource/complete-study.ts';

/** With fewer components a whole window takes a millisecond or two: it is analyzed by its own sizes. */
const WORTH_SCALES = 1_000;

/** Whether windows of a study are analyzed by the sizes of the window before, as their rows come. */
export const usesScales = ({ estimator, dmd }: CompleteMethod, components: number): boolean =>
  estimator === Estimator.GLOCAL && dmd.scaling === Scaling.COMPONENT && components >= WORTH_SCALES;

/**
 * The largest absolute value of each component, and of all where one is always 0.
 * @param rows of a window.
 * @returns undefined when there is none above 0.
 */
export function scalesOf(rows: Rows): Float64Array | undefined {
  const sizes = new Float64Array(rows[0]?.length ?? 0);
  for (const row of rows) widen(sizes, row);
  return withoutZeros(sizes);
}

/** Makes each size at least the absolute value of its component. */
export function widen(sizes: Float64Array, row: Float64Array): void {
  for (let k = 0; k < sizes.length; k++) {
    const size = Math.abs(row[k] as number);
    if (size > (sizes[k] as number)) sizes[k] = size;
  }
}

/** With the largest size where there is none; undefined when there is none above 0. */
export function withoutZeros(sizes: Float64Array): Float64Array | undefined {
  let largest = 0;
  for (let k = 0; k < sizes.length; k++) largest = Math.max(largest, sizes[k] as number);
  if (!(largest > 0)) return undefined;
  const all = sizes.slice();
  for (let k = 0; k < all.length; k++) if (all[k] === 0) all[k] = largest;
  return all;
}
