/** A chart with its caption. */

import type { ComponentChildren } from 'preact';
import { SeriesChart, type SeriesChartProps } from './series-chart.tsx';

interface ChartFigureProps extends SeriesChartProps {
  readonly caption: ComponentChildren;
  /** Over all columns. */
  readonly wide?: boolean;
}

export const ChartFigure = ({ caption, wide = false, ...chart }: ChartFigureProps) => (
  <figure class={wide ? 'wide' : undefined}>
    <figcaption>{caption}</figcaption>
    <SeriesChart {...chart} />
  </figure>
);
