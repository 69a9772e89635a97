/** Estimates and verdicts on windows whose continuation is known, as tables. */

import type { AnalyzeOptions } from '@glocal/sdk';
import { slug, type Table } from '../report/table.ts';
import { AFFINE, type Analyze, DEFAULT, HANKEL, PRODUCT, type Rows, sparse, TRIED } from './candidates.ts';
import { type Interval, meanOf, type Score, scoreOf } from './score.ts';
import { judged, verdictFigures } from './verdict.ts';
import type { HeldWindow } from './windows.ts';

/** How one estimate does on some windows. */
export interface CandidateRow {
  readonly title: string;
  readonly sign: Interval | undefined;
  readonly cosine: Interval | undefined;
  readonly size: Interval | undefined;
  /** Less that of LAST, on the windows where both are defined. */
  readonly cosineGain: Interval | undefined;
  readonly sizeGain: Interval | undefined;
  readonly missing: number;
}

/** A score of each window, beside that of LAST. */
interface Paired {
  readonly run: string;
  readonly score: Score;
  readonly last: Score;
}

/** All estimates on the same windows; `truths` are what they are scored against, each counting alike. */
export async function scored(windows: readonly HeldWindow[], analyze: Analyze): Promise<CandidateRow[]> {
  const rows: CandidateRow[] = [];
  for (const { title, estimate } of [...PRODUCT, ...TRIED]) {
    const pairs: Paired[] = [];
    for (const window of windows) {
      const found = await estimate(window, analyze);
      if (found === undefined) continue;
      const last = scoreOf(window, window.rows.at(-1) ?? []);
      pairs.push({ run: window.run, score: scoreOf(window, found), last });
    }
    const of = (figure: (pair: Paired) => number | undefined) => meanOf(pairs, figure);
    rows.push({
      title,
      sign: of(({ score }) => score.sign),
      cosine: of(({ score }) => score.cosine),
      size: of(({ score }) => score.size),
      cosineGain: of(({ score, last }) => score.cosine - last.cosine),
      sizeGain: of(({ score, last }) => score.size - last.size),
      missing: windows.length - pairs.length,
    });
  }
  return rows;
}

export const estimateTable = (title: string, said: string, rows: readonly CandidateRow[]): Table => ({
  id: `estimates-${slug(title)}`,
  title: `${title}: ${said}`,
  columns: ['estimate', 'sign', 'cosine', 'cosine − LAST', 'size', 'size − LAST', 'undefined'],
  rows: rows
    .filter(({ cosine }) => cosine !== undefined)
    .map(({ title: candidate, sign, cosine, size, cosineGain, sizeGain, missing }) => [
      ...[
        candidate,
        text(sign),
        text(cosine),
        signed(cosineGain),
        text(size),
        signed(sizeGain),
        String(missing),
      ],
    ]),
  note: 'Intervals: 95 % of resampled trainings. Size: |log₁₀| of estimated over true length, less is better.',
});

const LAST_SHARE = 0.8;
const endingThere = ({ dmd, ...rest }: AnalyzeOptions): AnalyzeOptions => ({
  ...rest,
  dmd: { ...dmd, lastShare: LAST_SHARE },
});
const RULES: readonly (readonly [string, AnalyzeOptions, (rows: Rows) => Rows])[] = [
  ["the default's (AFFINE, stride 3)", DEFAULT, sparse],
  [`the same, last share ${LAST_SHARE}`, endingThere(DEFAULT), sparse],
  ["AFFINE's", AFFINE, (rows) => rows],
  [`the same, last share ${LAST_SHARE}`, endingThere(AFFINE), (rows) => rows],
  ["HANKEL's", HANKEL, (rows) => rows],
];

export async function verdictTable(
  title: string,
  windows: readonly HeldWindow[],
  analyze: Analyze,
): Promise<Table> {
  const rows: string[][] = [];
  for (const [name, options, choose] of RULES) {
    const items = [];
    for (const window of windows) {
      items.push(...judged(window, await analyze(choose(window.rows), options)));
    }
    const { base, precision, recall, gain, components } = verdictFigures(items);
    rows.push([name, text(base), text(precision), signed(gain), text(recall), String(components)]);
  }
  return {
    id: `verdicts-${slug(title)}`,
    title: `${title}: what the verdict of a component is worth`,
    columns: ['verdict', 'base rate', 'precision', 'precision − base rate', 'recall', 'clear components'],
    rows,
  };
}

const figure = (value: number): string => value.toFixed(3);
const plus = (value: number): string => (value < 0 ? `−${figure(-value)}` : `+${figure(value)}`);
const text = (interval: Interval | undefined): string =>
  interval === undefined
    ? '–'
    : `${figure(interval.value)} [${figure(interval.low)}, ${figure(interval.high)}]`;
const signed = (interval: Interval | undefined): string =>
  interval === undefined ? '–' : `${plus(interval.value)} [${plus(interval.low)}, ${plus(interval.high)}]`;
