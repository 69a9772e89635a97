/** How near estimates are to where the hypergradient went, with intervals of a bootstrap over trainings. */

import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { mean } from '../report/statistics.ts';
import { divisorsOf } from '../sizes.ts';
import type { HeldWindow } from './windows.ts';

/** One estimate of one window. */
export interface Score {
  /** Share of the clear components whose sign is right; undefined where none is clear. */
  readonly sign: number | undefined;
  /** Of the vectors, each component divided by its largest value in the window. */
  readonly cosine: number;
  /** |log₁₀| of the estimate's length over the true one, of the same vectors. */
  readonly size: number;
}

export function scoreOf({ rows, truth, clear }: HeldWindow, estimate: readonly number[]): Score {
  const sizes = divisorsOf(rows);
  const [found, should] = [estimate, truth].map((vector) =>
    vector.map((value, k) => value / (sizes[k] ?? 1)),
  ) as [number[], number[]];
  const [length, right] = [found, should].map((vector) => Math.hypot(...vector)) as [number, number];
  const product = found.reduce((sum, value, k) => sum + value * (should[k] ?? Number.NaN), 0);
  const hits = truth.flatMap((value, k) =>
    clear[k] ? [Math.sign(estimate[k] ?? Number.NaN) === Math.sign(value) ? 1 : 0] : [],
  );
  return {
    sign: hits.length === 0 ? undefined : mean(hits),
    cosine: length === 0 ? 0 : product / (length * right),
    size: length === 0 ? Number.POSITIVE_INFINITY : Math.abs(Math.log10(length / right)),
  };
}

/** A figure of the windows of some trainings, with the interval that holds 95 % of those of resampled trainings. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const RESAMPLES = 2_000;

/**
 * Whole trainings are drawn with replacement, as the windows of one are not independent; the same draws for every figure of as many
 * trainings, so that differences are paired.
 * @param counts of one item; they are added up over items.
 * @param figure of the sums; undefined where they say nothing.
 */
export function bootstrap<Item extends { readonly run: string }>(
  items: readonly Item[],
  counts: (item: Item) => readonly number[],
  figure: (sums: readonly number[]) => number | undefined,
): Interval | undefined {
  const value = figure(sumOf(items.map(counts)));
  if (value === undefined) return undefined;
  const runs = [...Map.groupBy(items, ({ run }) => run).values()].map((some) => sumOf(some.map(counts)));
  const generator = xoroshiro128plus(1);
  const values: number[] = [];
  for (let i = 0; i < RESAMPLES; i++) {
    const drawn = figure(sumOf(runs.map(() => runs[uniformInt(generator, 0, runs.length - 1)] ?? [])));
    if (drawn !== undefined) values.push(drawn);
  }
  values.sort((a, b) => a - b);
  const at = (share: number): number => values[Math.round(share * (values.length - 1))] ?? Number.NaN;
  return { value, low: at(0.025), high: at(0.975) };
}

const sumOf = (vectors: readonly (readonly number[])[]): number[] =>
  (vectors[0] ?? []).map((_, k) => vectors.reduce((sum, vector) => sum + (vector[k] ?? 0), 0));

/** A mean of those that have a value. */
export const meanOf = <Item extends { readonly run: string }>(
  items: readonly Item[],
  of: (item: Item) => number | undefined,
): Interval | undefined =>
  bootstrap(
    items,
    (item) => {
      const value = of(item);
      return value === undefined ? [0, 0] : [value, 1];
    },
    ([sum = 0, count = 0]) => (count === 0 ? undefined : sum / count),
  );
