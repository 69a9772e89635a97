/** What a benchmark says: one figure, by a name that stays the same from run to run. */

import { median } from './statistics.ts';

export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Number of measurements behind it. */
  readonly n: number;
  /** The figure of each repetition, where there were several; `value` is their median. */
  readonly repeats?: readonly number[];
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

/** The rows of several repetitions as one row for each name: the median, with what each of them measured. */
export function mergeRepeats(repetitions: readonly (readonly Row[])[]): Row[] {
  const byName = Map.groupBy(repetitions.flat(), ({ name }) => name);
  return [...byName.values()].map((rows) => {
    const [first] = rows as [Row];
    if (rows.length === 1) return first;
    const repeats = rows.map(({ value }) => value);
    return { ...first, value: median(repeats), n: rows.reduce((sum, { n }) => sum + n, 0), repeats };
  });
}
