/** A run of the benchmarks against an earlier one, with what the noise of repetitions allows to say. */

import type { Row } from './row.ts';

/** One figure of two runs. */
export interface Comparison {
  readonly name: string;
  readonly unit: string;
  readonly before: number | undefined;
  readonly now: number | undefined;
  /** now / before; undefined where one is missing or the earlier one is 0. */
  readonly ratio: number | undefined;
  /**
   * Between which numbers the ratio is, whichever repetitions are compared: the smallest of now over the largest of before,
   * and the other way round. Undefined where a run was not repeated, so that nothing is known of its noise.
   */
  readonly bounds: readonly [low: number, high: number] | undefined;
  readonly verdict: Verdict;
}

/**
 * `higher` and `lower`: by more than repetitions differ. `noise`: not. `once`: a run was not repeated, nothing can be said.
 * `new` and `gone`: one run does not have it. `same`: equal numbers. What is better, the row's unit says.
 */
export type Verdict = 'higher' | 'lower' | 'noise' | 'once' | 'same' | 'new' | 'gone';

/** In the order of the newer run, and then what it does not have. */
export function compareRuns(before: readonly Row[], now: readonly Row[]): Comparison[] {
  const earlier = new Map(before.map((row) => [row.name, row]));
  const names = [...new Set([...now, ...before].map(({ name }) => name))];
  const later = new Map(now.map((row) => [row.name, row]));
  return names.map((name) => compareRows(name, earlier.get(name), later.get(name)));
}

function compareRows(name: string, before: Row | undefined, now: Row | undefined): Comparison {
  const shared = { name, unit: (now ?? before)?.unit ?? '', before: before?.value, now: now?.value };
  if (before === undefined || now === undefined) {
    return { ...shared, ratio: undefined, bounds: undefined, verdict: now ? 'new' : 'gone' };
  }
  const ratio = before.value === 0 ? undefined : now.value / before.value;
  const bounds = boundsOf(before, now);
  return { ...shared, ratio, bounds, verdict: verdictOf(before, now, bounds) };
}

/** Of figures that are positive, as times and ratios are. */
function boundsOf(before: Row, now: Row): Comparison['bounds'] {
  const [lowest, highest] = range(now) ?? [];
  const [lowestBefore, highestBefore] = range(before) ?? [];
  if (lowest === undefined || highest === undefined || !lowestBefore || !highestBefore) return undefined;
  return [lowest / highestBefore, highest / lowestBefore];
}

/** Smallest and largest of the repetitions; undefined where there was one, or one of them was no positive number. */
function range({ repeats = [] }: Row): [number, number] | undefined {
  if (repeats.length < 2 || !repeats.every((value) => value > 0)) return undefined;
  return [Math.min(...repeats), Math.max(...repeats)];
}

function verdictOf(before: Row, now: Row, bounds: Comparison['bounds']): Verdict {
  if (before.value === now.value) return 'same';
  if (bounds === undefined) return 'once';
  const [low, high] = bounds;
  if (low > 1) return 'higher';
  return high < 1 ? 'lower' : 'noise';
}
