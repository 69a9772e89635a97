/** Trials as lines over axes: where they started, what they chose, what came of it. */

import { short, words } from '../format.ts';
import { lineColour } from '../palette.ts';

/** An axis: numbers with a scale, or names. */
export interface Axis {
  readonly name: string;
  readonly log?: boolean;
}

/** A trial as it goes through the axes. */
export interface Path {
  readonly key: string;
  readonly label: string;
  /** Position of its study among those compared. */
  readonly study: number;
  readonly values: Readonly<Record<string, number | string | boolean | null | undefined>>;
}

interface ParallelProps {
  readonly axes: readonly Axis[];
  readonly paths: readonly Path[];
  readonly label: string;
  readonly id?: string;
}

const [WIDTH, HEIGHT, TOP, SIDE] = [860, 280, 34, 70];

export function ParallelCoordinates({ axes, paths, label, id }: ParallelProps) {
  const x = (i: number): number =>
    SIDE + (axes.length < 2 ? 0.5 : i / (axes.length - 1)) * (WIDTH - 2 * SIDE);
  const scales = axes.map((axis) => scaleOf(axis, paths));
  return (
    <svg
      id={id}
      class="parallel"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={`${label}: ${paths.length} trials over ${axes.map(({ name }) => name).join(', ')}`}
    >
      {paths.map(({ key, label, study, values }) => {
        const points = axes.flatMap(({ name }, i) => {
          const y = scales[i]?.at(values[name]);
          return y === undefined ? [] : [`${x(i).toFixed(1)},${y.toFixed(1)}`];
        });
        return (
          <polyline
            key={key}
            class="path"
            points={points.join(' ')}
            fill="none"
            stroke={`var(${lineColour(study)})`}
            stroke-width="1.8"
            stroke-opacity="0.75"
          >
            <title>{`${label}: ${axes.map(({ name }) => `${name} ${shown(values[name])}`).join(', ')}`}</title>
          </polyline>
        );
      })}
      {axes.map(({ name }, i) => (
        <g key={name}>
          <line x1={x(i)} x2={x(i)} y1={TOP} y2={HEIGHT - 14} stroke="var(--muted)" />
          <text x={x(i)} y={14} text-anchor="middle" class="axis">
            {words(name)}
          </text>
          {scales[i]?.ticks.map(([text, y]) => (
            <text key={text} x={x(i) + 5} y={y - 5} class="tick">
              {text}
            </text>
          ))}
        </g>
      ))}
    </svg>
  );
}

const shown = (value: Path['values'][string]): string =>
  typeof value === 'number' || value === null ? short(value) : String(value ?? '–');

function scaleOf({ name, log = false }: Axis, paths: readonly Path[]) {
  const values = paths.map((path) => path.values[name]);
  const numbers = values.filter((value) => typeof value === 'number' && (!log || value > 0)) as number[];
  const bottom = HEIGHT - 14;
  if (
    numbers.length === 0 ||
    values.some((value) => typeof value === 'string' || typeof value === 'boolean')
  ) {
    const names = [...new Set(values.filter((value) => value !== undefined && value !== null).map(String))];
    const y = (i: number): number =>
      names.length < 2 ? (TOP + bottom) / 2 : TOP + (i / (names.length - 1)) * (bottom - TOP);
    return {
      at: (value: Path['values'][string]) => {
        const i = names.indexOf(String(value));
        return i < 0 ? undefined : y(i);
      },
      ticks: names.map((text, i) => [text, y(i)] as const),
    };
  }
  const to = (value: number): number => (log ? Math.log(value) : value);
  const [min, max] = [Math.min(...numbers), Math.max(...numbers)];
  const y = (value: number): number =>
    max === min
      ? (TOP + bottom) / 2
      : bottom - ((to(value) - to(min)) / (to(max) - to(min))) * (bottom - TOP);
  return {
    at: (value: Path['values'][string]) =>
      typeof value === 'number' && (!log || value > 0) ? y(value) : undefined,
    ticks: (max === min ? [min] : [min, max]).map((value) => [short(value), y(value)] as const),
  };
}
