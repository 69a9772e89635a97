/** Figures over two settings, as cells whose colour and text are the value. */

import { render } from '@glocal/cli/chart-style';

export interface HeatmapCell {
  readonly x: number;
  readonly y: number;
  /** Undefined where there is none. */
  readonly value: number | undefined;
  /** The value as text. */
  readonly text: string;
}

export interface HeatmapAxes {
  readonly x: string;
  readonly y: string;
}

export function heatmapChart(
  title: string,
  subtitle: string,
  axes: HeatmapAxes,
  cells: readonly HeatmapCell[],
): Promise<string> {
  const values = cells.flatMap(({ value }) => value ?? []);
  const middle = (Math.min(...values) + Math.max(...values)) / 2;
  const axis = (field: 'x' | 'y', text: string) => ({
    ...{ field, type: 'ordinal', title: text },
    ...{ axis: { labelAngle: 0, grid: false }, ...(field === 'y' && { sort: 'descending' }) },
  });
  const position = { x: axis('x', axes.x), y: axis('y', axes.y) };
  return render({
    title: { text: title, subtitle },
    width: { step: 84 },
    height: { step: 44 },
    data: { values: [...cells] },
    layer: [
      {
        mark: { type: 'rect', stroke: 'white', strokeWidth: 2 },
        encoding: {
          ...position,
          color: {
            ...{ field: 'value', type: 'quantitative', legend: null },
            scale: { range: ['#eff6ff', '#1e3a8a'], zero: false },
          },
        },
      },
      {
        mark: { type: 'text', fontSize: 12 },
        encoding: {
          ...position,
          text: { field: 'text' },
          color: { condition: { test: `datum.value > ${middle}`, value: 'white' }, value: '#18181b' },
        },
      },
    ],
  });
}
