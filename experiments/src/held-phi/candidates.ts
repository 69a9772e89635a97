/** Estimates of where a window's hypergradient is heading: the product's, and what was tried beside them. */

import type { AnalyzeOptions, WindowReport } from '@glocal/sdk';
import { divisorsOf } from '../sizes.ts';
import { fixedPointOfSharedMap, fixedPointWithInput } from './pooled.ts';
import { ESTIMATED_AT, type HeldWindow, ROWS } from './windows.ts';

/** Rows, oldest first, `[σ][q]`. */
export type Rows = readonly (readonly number[])[];

/** What a candidate sees. */
type Seen = Pick<HeldWindow, 'rows' | 'averaging' | 'input' | 'before'>;

/** What a candidate may ask of the DMD service. */
export type Analyze = (rows: Rows, options: AnalyzeOptions) => Promise<WindowReport>;

export interface Candidate {
  readonly title: string;
  /** Undefined where it has none. */
  estimate(window: Seen, analyze: Analyze): Promise<readonly number[] | undefined>;
}

const STRIDE = 3;

const column = (rows: Rows, k: number): number[] => rows.map((row) => row[k] ?? Number.NaN);
const byComponent = (rows: Rows, of: (values: readonly number[]) => number): number[] =>
  (rows[0] ?? []).map((_, k) => of(column(rows, k)));

export const last = (rows: Rows): readonly number[] => rows.at(-1) ?? [];
export const mean = (rows: Rows): number[] =>
  byComponent(rows, (values) => values.reduce((sum, value) => sum + value, 0) / values.length);
const median = (rows: Rows): number[] =>
  byComponent(rows, (values) => {
    const sorted = values.toSorted((a, b) => a - b);
    const middle = sorted.length / 2;
    return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
  });

/** One in three, the newest among them: a window of the default. */
export const sparse = (rows: Rows): Rows => rows.filter((_, i) => (rows.length - 1 - i) % STRIDE === 0);

const plain = (title: string, of: (rows: Rows) => readonly number[]): Candidate => ({
  title,
  estimate: async ({ rows }) => of(rows),
});

const decomposed = (
  title: string,
  options: AnalyzeOptions,
  choose: (rows: Rows) => Rows = (rows) => rows,
): Candidate => ({
  title,
  estimate: ({ rows }, analyze) => decompose(choose(rows), options, analyze),
});

async function decompose(rows: Rows, options: AnalyzeOptions, analyze: Analyze) {
  const { glocal } = await analyze(rows, options);
  return glocal && Array.from(glocal);
}

export const AFFINE: AnalyzeOptions = { dmd: { variant: 'affine', delays: 3 } };
export const DEFAULT: AnalyzeOptions = { dmd: { variant: 'affine', delays: 2 }, stride: STRIDE };
export const HANKEL: AnalyzeOptions = { dmd: { variant: 'hankel', delays: 10 } };
const LONG_CLIP = 0.98;
const LONG: AnalyzeOptions = { dmd: { variant: 'affine', delays: 3, clip: LONG_CLIP } };

/** What the product has. */
export const PRODUCT: readonly Candidate[] = [
  plain('LAST', last),
  plain('MEAN', mean),
  plain('MEDIAN', median),
  decomposed('HANKEL', HANKEL),
  decomposed("HANKEL, the paper's", { dmd: { variant: 'hankel', delays: 10, scaling: 'none' } }),
  decomposed('AFFINE', AFFINE),
  decomposed('AFFINE, clip .98', LONG),
  decomposed('AFFINE, stride 3: the default', DEFAULT, sparse),
  decomposed('OPTIMIZED: real decaying modes', { dmd: { variant: 'optimized' } }),
];

/** Of a window that is not a training's first. */
const pooled = (title: string, fixedPoint: typeof fixedPointWithInput): Candidate => ({
  title,
  estimate: async ({ rows, input, before }) =>
    before.length === 0 ? undefined : fixedPoint([...before, { rows, input }], LONG_CLIP),
});

/** What was tried, in this order. */
export const TRIED: readonly Candidate[] = [
  {
    title: 'LAST over 1 − βᵗ',
    estimate: async ({ rows, averaging }) =>
      averaging === undefined ? undefined : last(corrected(rows, averaging)),
  },
  {
    title: 'AFFINE, clip .98, of rows over 1 − βᵗ',
    estimate: async ({ rows, averaging }, analyze) =>
      averaging === undefined ? undefined : decompose(corrected(rows, averaging), LONG, analyze),
  },
  { title: 'LAST + w(AFFINE clip .98 − LAST)', estimate: shrunken },
  pooled('windows before it, too, with φ as the input (DMD with control), clip .98', fixedPointWithInput),
  pooled('windows before it, too, one map and an offset each, clip .98', fixedPointOfSharedMap),
  plain('one real mode for all components', oneRealMode),
  plain('straight line, one window ahead', straightLine),
];

/**
 * An average that began with the sensitivity at 0 has 1 − βᵗ of its weight t steps later: what Adam divides its moments by. Row i is of
 * step t = i + 1 of the last `ROWS` of `ESTIMATED_AT`.
 */
function corrected(rows: Rows, beta: number): Rows {
  return rows.map((row, i) => {
    const t = ESTIMATED_AT - ROWS + i + 1;
    return row.map((value) => value / (1 - beta ** t));
  });
}

/** Shortest part of a window that the spread is looked for in. */
const SHORTEST = 12;

/**
 * As far from LAST as the estimate is steady: w = d²/(d² + v) for the difference d of a component and the variance v of the estimate over
 * parts of the window, which stand for resamples of it (after BOP-DMD, Sashidhar and Kutz, 2022): neighbouring rows have to stay
 * neighbours.
 */
async function shrunken({ rows }: Seen, analyze: Analyze): ReturnType<Candidate['estimate']> {
  const { glocal } = await analyze(rows, LONG);
  if (glocal === undefined) return undefined;
  const parts: Rows[] = [];
  for (let length = SHORTEST; length < rows.length; length += 2) {
    parts.push(rows.slice(0, length), rows.slice(-length));
  }
  const estimates: Float64Array[] = [];
  for (const part of parts) {
    const { glocal: estimate } = await analyze(part, LONG);
    if (estimate !== undefined) estimates.push(estimate);
  }
  return last(rows).map((value, k) => {
    const difference = (glocal[k] ?? Number.NaN) - value;
    const squares = estimates.map(
      (estimate) => ((estimate[k] ?? Number.NaN) - (glocal[k] ?? Number.NaN)) ** 2,
    );
    const variance = squares.reduce((sum, square) => sum + square, 0) / squares.length;
    const weight = difference === 0 ? 0 : difference ** 2 / (difference ** 2 + variance);
    return value + weight * difference;
  });
}

/** Eigenvalues that are tried. A slower one could not be told from a straight line in 20 rows. */
const EIGENVALUES = [0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.96, 0.97, 0.98];

/** h_t = a + bλᵗ with one real λ below 1 for all components, by least squares over components that are divided by their largest value; a. */
function oneRealMode(rows: Rows): readonly number[] {
  const sizes = Array.from(divisorsOf(rows));
  let best: { error: number; limit: number[] } = { error: Number.POSITIVE_INFINITY, limit: [] };
  for (const lambda of EIGENVALUES) {
    const fits = sizes.map((size, k) =>
      line(
        rows.map((_, t) => lambda ** t),
        column(rows, k).map((value) => value / size),
      ),
    );
    const error = fits.reduce((sum, fit) => sum + fit.error, 0);
    if (error < best.error) {
      best = { error, limit: fits.map(({ intercept }, k) => intercept * (sizes[k] ?? Number.NaN)) };
    }
  }
  return best.limit;
}

/** Where a hypergradient that grows along a line, as one at the average of a Schedule-Free run does, is after as many steps as its window had. */
function straightLine(rows: Rows): readonly number[] {
  return byComponent(rows, (values) => {
    const { intercept, slope } = line(
      values.map((_, t) => t),
      values,
    );
    return intercept + slope * (values.length - 1 + ESTIMATED_AT);
  });
}

/** y = intercept + slope · x by least squares, with the sum of squares that is left. */
function line(x: readonly number[], y: readonly number[]) {
  const n = x.length;
  const [meanX, meanY] = [x, y].map((values) => values.reduce((sum, value) => sum + value, 0) / n) as [
    number,
    number,
  ];
  const square = x.reduce((sum, value) => sum + (value - meanX) ** 2, 0);
  const product = x.reduce((sum, value, i) => sum + (value - meanX) * ((y[i] ?? Number.NaN) - meanY), 0);
  const slope = product / square;
  const intercept = meanY - slope * meanX;
  const error = x.reduce((sum, value, i) => sum + ((y[i] ?? Number.NaN) - intercept - slope * value) ** 2, 0);
  return { intercept, slope, error };
}
