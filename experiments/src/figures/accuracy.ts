/** Test accuracies as points: a line for each row of the table, a colour for each start, a point for each seed. */

import { COLOURS, render } from '@glocal/cli/chart-style';
import type { Finished } from '../outcome.ts';
import type { Figure } from '../report/figure.ts';
import { slug } from '../report/table.ts';

/** One for each task, where anything has an accuracy. */
export async function accuracyFigures(finished: readonly Finished[]): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [title, arms] of Map.groupBy(finished, ({ arm }) => arm.table)) {
    const points = arms.flatMap(pointsOf);
    if (points.length > 0) figures.push({ id: slug(title), svg: await accuracyChart(title, points) });
  }
  return figures;
}

interface AccuracyPoint {
  readonly row: string;
  readonly start: string;
  readonly seed: number;
  /** Per cent. */
  readonly accuracy: number;
}

const pointsOf = ({ arm, trials }: Finished): AccuracyPoint[] =>
  trials.flatMap(({ accuracy, start, seed }) =>
    accuracy === undefined
      ? []
      : [{ row: arm.title, start: startName(start), seed, accuracy: 100 * accuracy }],
  );

const startName = (start: number | undefined): string =>
  start === undefined ? 'one start' : `from ${Number(start.toPrecision(3))}`;

function accuracyChart(title: string, points: readonly AccuracyPoint[]): Promise<string> {
  const starts = [...new Set(points.map(({ start }) => start))].sort(byNumber);
  const rows = [...new Set(points.map(({ row }) => row))];
  const x = (axis: object) => ({
    field: 'accuracy',
    type: 'quantitative',
    title: 'test accuracy in %',
    scale: { zero: false, nice: true },
    ...axis,
  });
  const y = {
    field: 'row',
    type: 'nominal',
    title: null,
    scale: { domain: rows },
    axis: { labelLimit: 360, grid: true },
  };
  const color = { field: 'start', type: 'nominal', scale: { domain: starts, range: coloursFor(starts) } };
  return render({
    title: { text: title, subtitle: 'points are seeds, bars their means' },
    width: 460,
    height: { step: 26 },
    data: { values: points },
    layer: [
      {
        mark: { type: 'point', filled: true, size: 28, opacity: 0.7 },
        encoding: { x: x({}), y, color },
      },
      {
        mark: { type: 'tick', thickness: 3, size: 18 },
        encoding: { x: x({ aggregate: 'mean' }), y, color },
      },
    ],
  });
}

const coloursFor = (starts: readonly string[]): string[] =>
  starts.map((_, i) => COLOURS[(i + 1) % COLOURS.length] as string);

const byNumber = (a: string, b: string): number => Number(a.slice(5)) - Number(b.slice(5));
