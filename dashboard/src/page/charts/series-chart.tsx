/** Lines over inner steps, with bands, drawn by uPlot; what is under the cursor is said above, for the keyboard, too. */

import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import type { Figure } from '../../api.ts';
import { short, ticksOf } from '../format.ts';
import { colourOf, isDark } from '../palette.ts';
import { LineSign } from './line-sign.tsx';
import { useNearView } from './near-view.ts';

/** A line. */
export interface Line {
  readonly label: string;
  readonly values: readonly Figure[];
  /** A CSS variable, or a colour. */
  readonly colour: string;
  readonly dash?: readonly number[];
  readonly width?: number;
  /** Keeps its value until the next point. */
  readonly stepped?: boolean;
  /** Fills down to the next line, or to the axis. */
  readonly fill?: boolean;
  /** An edge of a band, which is not listed. */
  readonly edge?: boolean;
}

export interface SeriesChartProps {
  /** What is shown, for those who do not see it. */
  readonly label: string;
  readonly x: readonly number[];
  readonly lines: readonly Line[];
  /** Between two lines, by their positions: upper, lower. */
  readonly bands?: readonly { readonly upper: number; readonly lower: number; readonly colour: string }[];
  readonly log?: boolean;
  readonly height?: number;
  readonly format?: (value: Figure) => string;
  /** Of the x-axis. */
  readonly xLabel?: string;
  /** What a number of the x-axis is, in a word; inner steps, which are whole, when it is left out. */
  readonly xWord?: string;
  /** Charts with the same key share their cursor. */
  readonly sync?: string;
  /** Told which point was clicked, or chosen with Enter. */
  readonly onPick?: (index: number) => void;
  /** A point that is marked. */
  readonly picked?: number | undefined;
  /** Lines are sums with what lies below them: the readout says their own part. */
  readonly stacked?: boolean;
  /** Of the y-axis, where it should not follow the data. */
  readonly range?: readonly [number, number];
}

/** Distances of ticks between whole numbers. */
const WHOLE = Array.from({ length: 10 }, (_, i) => [1, 2, 5].map((n) => n * 10 ** i)).flat();

/** Values that the scale has a place for. */
const usable = (values: readonly Figure[], log: boolean): (number | null)[] =>
  log ? values.map((value) => (value !== null && value > 0 ? value : null)) : (values as (number | null)[]);

const withAlpha = (colour: string, alpha: string): string => `${colour}${alpha}`;

export function SeriesChart(props: SeriesChartProps) {
  const {
    label,
    x,
    lines,
    bands = [],
    log = false,
    height = 180,
    format = short,
    sync,
    xWord = 'step',
  } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const current = useRef(props);
  current.current = props;
  const [at, setAt] = useState<number | undefined>(undefined);
  const isNear = useNearView(place);
  /** Once it was near, it is there. */
  const isWanted = useRef(false);
  isWanted.current ||= isNear;
  /** What is drawn now. */
  const drawn = useRef<SeriesChartProps | undefined>(undefined);
  // Another set of lines is another chart, and so are other colours; other values are not.
  const looks = lines.map(({ values: _, ...rest }) => rest);
  const shape = JSON.stringify([looks, bands, log, height, isDark.value, isWanted.current]);

  useEffect(() => {
    const box = place.current;
    if (box === null || !isWanted.current) return;
    const chart = new uPlot(optionsOf(current, box.clientWidth, setAt, sync), dataOf(current.current), box);
    chart.root.querySelector('canvas')?.setAttribute('aria-hidden', 'true');
    plot.current = chart;
    drawn.current = current.current;
    const observer = new ResizeObserver(() => {
      if (box.clientWidth > 0 && box.clientWidth !== chart.width)
        chart.setSize({ width: box.clientWidth, height });
    });
    observer.observe(box);
    return () => {
      observer.disconnect();
      chart.destroy();
      plot.current = undefined;
    };
  }, [shape]);

  useEffect(() => {
    if (!isNear || (drawn.current?.x === x && drawn.current.lines === lines)) return;
    plot.current?.setData(dataOf(current.current));
    drawn.current = current.current;
  }, [x, lines, shape, isNear]);
  useEffect(() => plot.current?.redraw(false), [props.picked]);

  const index = at ?? x.length - 1;
  const shownValue = (i: number): Figure => {
    const value = lines[i]?.values[index] ?? null;
    return props.stacked === true && value !== null ? value - (lines[i + 1]?.values[index] ?? 0) : value;
  };
  const move = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -1e9, End: 1e9 }[event.key];
    if (event.key === 'Enter' && props.onPick !== undefined) props.onPick(index);
    if (by === undefined || plot.current === undefined) return;
    event.preventDefault();
    const next = Math.min(x.length - 1, Math.max(0, index + by));
    setAt(next);
    plot.current.setCursor({ left: plot.current.valToPos(x[next] ?? 0, 'x'), top: 10 }, false);
  };
  return (
    <div class="chart" role="group" aria-label={label}>
      <ul class="readout">
        <li class="muted">{x.length > 0 ? `${xWord} ${short(x[index] ?? null)}` : 'no steps yet'}</li>
        {lines.map(
          ({ label, colour, dash, edge }, i) =>
            edge !== true && (
              <li key={label}>
                <LineSign colour={colour} dash={dash} />
                {label} <b>{format(shownValue(i))}</b>
              </li>
            ),
        )}
      </ul>
      <div
        ref={place}
        class="plot"
        style={{ height: `${height}px` }}
        tabIndex={0}
        role="slider"
        aria-label={`${label}, cursor`}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, x.length - 1)}
        aria-valuenow={Math.max(0, index)}
        aria-valuetext={`${xWord} ${short(x[index] ?? null)}: ${lines
          .flatMap(({ label, edge }, i) => (edge === true ? [] : [`${label} ${format(shownValue(i))}`]))
          .join(', ')}`}
        onKeyDown={move}
        onBlur={() => setAt(undefined)}
      />
    </div>
  );
}

const dataOf = ({ x, lines, log = false }: SeriesChartProps): uPlot.AlignedData => [
  x as number[],
  ...lines.map(({ values }) => usable(values, log)),
];

function optionsOf(
  current: { readonly current: SeriesChartProps },
  width: number,
  setAt: (index: number | undefined) => void,
  sync: string | undefined,
): uPlot.Options {
  const {
    lines,
    bands = [],
    log = false,
    height = 180,
    format = short,
    range,
    xLabel,
    xWord,
    stacked,
  } = current.current;
  const axis: uPlot.Axis = {
    stroke: () => colourOf('--muted'),
    grid: { stroke: () => colourOf('--grid'), width: 1 },
    ticks: { stroke: () => colourOf('--grid'), width: 1, size: 4 },
    font: '12px system-ui, sans-serif',
  };
  return {
    width: Math.max(100, width),
    height,
    legend: { show: false },
    padding: [8, 20, 0, 0],
    cursor: {
      x: true,
      y: false,
      points: { size: 6 },
      drag: { x: true, y: false },
      ...(sync !== undefined && { sync: { key: sync, setSeries: false } }),
    },
    scales: {
      x: { time: false },
      y: {
        distr: log ? 3 : 1,
        ...(range !== undefined && { range: () => range as [number, number] }),
        ...(range === undefined && !log && { range: stacked ? fromNothing : comfortable }),
      },
    },
    axes: [
      {
        ...axis,
        size: 28,
        ...(xWord === undefined && { incrs: WHOLE }),
        ...(xLabel !== undefined && { label: xLabel, labelSize: 16, labelFont: '12px system-ui' }),
      },
      {
        ...axis,
        size: 58,
        // Of a logarithmic axis, only some ticks are said.
        values: (_, ticks) =>
          format === short && !log
            ? ticksOf(ticks)
            : ticks.map((tick) => (tick === null ? '' : format(tick))),
      },
    ],
    series: [
      {},
      ...lines.map(
        ({ label, colour, dash, width: lineWidth, stepped, fill, edge }): uPlot.Series => ({
          label,
          stroke: () => (edge === true ? 'transparent' : colourOf(colour)),
          width: edge === true ? 0 : (lineWidth ?? 2),
          spanGaps: false,
          points: {
            show: (chart) => (chart.data[0].length ?? 0) < 30 && edge !== true && fill !== true,
            size: 5,
          },
          ...(dash !== undefined && { dash: [...dash] }),
          ...(stepped === true && uPlot.paths.stepped && { paths: uPlot.paths.stepped({ align: 1 }) }),
          ...(fill === true && { fill: () => withAlpha(colourOf(colour), 'aa') }),
        }),
      ),
    ],
    bands: bands.map(({ upper, lower, colour }) => ({
      series: [upper + 1, lower + 1] as [number, number],
      fill: () => withAlpha(colourOf(colour), '33'),
    })),
    hooks: {
      setCursor: [
        (chart) => {
          const { idx } = chart.cursor;
          setAt(idx ?? undefined);
        },
      ],
      draw: [
        (chart) => {
          const { picked, x } = current.current;
          if (picked === undefined || x[picked] === undefined) return;
          const left = Math.round(chart.valToPos(x[picked] ?? 0, 'x', true));
          const { ctx, bbox } = chart;
          ctx.save();
          ctx.strokeStyle = colourOf('--muted');
          ctx.setLineDash([4, 4]);
          ctx.beginPath();
          ctx.moveTo(left, bbox.top);
          ctx.lineTo(left, bbox.top + bbox.height);
          ctx.stroke();
          ctx.restore();
        },
      ],
      ready: [
        (chart) => {
          chart.over.addEventListener('click', () => {
            const { idx } = chart.cursor;
            if (idx !== null && idx !== undefined) current.current.onPick?.(idx);
          });
        },
      ],
    },
  };
}

const fromNothing = (_: uPlot, _min: number | null, max: number | null): [number, number] => [
  0,
  1.05 * (max || 1),
];

/** A line that does not change is in the middle, not at an edge. */
function comfortable(_: uPlot, min: number | null, max: number | null): [number, number] {
  if (min === null || max === null) return [0, 1];
  const room = max > min ? 0.06 * (max - min) : Math.abs(max) * 0.1 || 1;
  // Room below nothing would look like negative losses.
  return [min >= 0 && min - room < 0 ? 0 : min - room, max + room];
}
