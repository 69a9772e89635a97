/** What a benchmark says: one figure, by a name that stays the same from run to run. */

import { median } from './statistics.ts';

export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Number of measurements behind it. */
  readonly n: number;
}

/** The median of measured times. */
export const timeRow = (name: string, milliseconds: readonly number[]): Row => ({
  name,
  value: median(milliseconds),
  unit: 'ms',
  n: milliseconds.length,
});

/** The median of one thing's times over that of another's. */
export const ratioRow = (name: string, of: readonly number[], over: readonly number[]): Row => ({
  name,
  value: median(of) / median(over),
  unit: 'ratio',
  n: of.length,
});
