/** Figures with their intervals, a panel for each group. */

import { COLOURS, render } from '@glocal/cli/chart-style';
import type { Figure } from '../report/figure.ts';

export interface IntervalPoint {
  readonly panel: string;
  readonly title: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Beside 0, which is drawn. Titles in the order in which they come. @returns nothing without points */
export async function intervalFigures(
  id: string,
  title: string,
  subtitle: string,
  points: readonly IntervalPoint[],
): Promise<Figure[]> {
  if (points.length === 0) return [];
  const titles = [...new Set(points.map((point) => point.title))];
  const [grey = '', blue = ''] = COLOURS;
  const y = {
    ...{ field: 'title', type: 'nominal', title: null, sort: titles },
    axis: { labelLimit: 320 },
  } as const;
  const svg = await render({
    title: { text: title, subtitle },
    data: { values: [...points] },
    facet: {
      field: 'panel',
      type: 'nominal',
      title: null,
      sort: [...new Set(points.map(({ panel }) => panel))],
    },
    columns: 2,
    spec: {
      width: 260,
      height: { step: 18 },
      layer: [
        { mark: { type: 'rule', color: grey }, encoding: { x: { datum: 0 } } },
        {
          mark: { type: 'rule', strokeWidth: 2, color: blue },
          encoding: { y, x: { field: 'low', type: 'quantitative', title: null }, x2: { field: 'high' } },
        },
        {
          mark: { type: 'point', filled: true, size: 50, color: blue },
          encoding: { y, x: { field: 'value', type: 'quantitative' } },
        },
      ],
    },
  });
  return [{ id, svg }];
}
