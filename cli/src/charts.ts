/**
 * Pictures of runs, as SVG: quantities over training, hypergradients, and eigenvalues on the unit circle. They need nothing
 * from a network.
 */

import { COLOURS, PANEL, panelTitle, render } from './chart-style.ts';

/** One value of one quantity of one run. */
export interface TrajectoryPoint {
  readonly run: string;
  /** Inner step at which, or from which on, it has the value. */
  readonly step: number;
  readonly quantity: string;
  /** Which of several lines of this quantity and run it is on; left out where there is one. */
  readonly line?: string;
  readonly value: number;
}

/** A quantity and how its axis is drawn. */
export interface Quantity {
  readonly name: string;
  readonly title: string;
  readonly scale: 'linear' | 'log';
  /** `step` for what is constant between two points. */
  readonly interpolate: 'step-after' | 'linear';
}

/** One component of a hypergradient. */
export interface HypergradientPoint {
  /** Name of the component. */
  readonly component: string;
  /** Inner step at whose weights it was taken; of an estimate the end of its window. */
  readonly step: number;
  readonly value: number;
  readonly kind: HypergradientKind;
}

/** A row of a window, or what came of the window. */
export type HypergradientKind = 'local' | 'glocal';

/** One eigenvalue of one window. */
export interface EigenvaluePoint {
  readonly outerStep: number;
  readonly re: number;
  readonly im: number;
  /** Share of the window's energy, 0 to 1. */
  readonly energy: number;
  readonly steady: boolean;
}

const STEPS = { field: 'step', type: 'quantitative', title: 'inner step', axis: { tickCount: 5 } };

/** One panel a quantity, one line a run, or several of one colour. */
export function trajectoryChart(
  title: string,
  subtitle: string,
  runs: readonly string[],
  quantities: readonly Quantity[],
  points: readonly TrajectoryPoint[],
): Promise<string> {
  // Grey says little where there is nothing to compare with.
  const range = runs.length === 1 ? COLOURS.slice(1) : COLOURS;
  // The same in all panels, whichever quantity begins or ends later.
  const first = points.reduce((least, { step }) => Math.min(least, step), Number.POSITIVE_INFINITY);
  const last = points.reduce((most, { step }) => Math.max(most, step), first);
  const x = { ...STEPS, scale: first < last ? { domain: [first, last], nice: true } : {} };
  const several = points.some(({ line }) => line !== undefined);
  const panel = ({ name, title: axis, scale, interpolate }: Quantity) => ({
    ...PANEL,
    title: panelTitle(axis),
    transform: [{ filter: { field: 'quantity', equal: name } }],
    mark: { type: 'line', interpolate, strokeWidth: 2.5, strokeCap: 'round' },
    encoding: {
      x,
      y: {
        field: 'value',
        type: 'quantitative',
        title: null,
        scale: { type: scale, nice: true, ...(scale === 'linear' && { zero: false }) },
        axis: { tickCount: 5, format: '~g' },
      },
      color: { field: 'run', type: 'nominal', scale: { domain: runs, range } },
      ...(several && { detail: { field: 'line', type: 'nominal' } }),
    },
  });
  return render({
    title: { text: title, subtitle },
    data: { values: [...points] },
    columns: 2,
    spacing: 36,
    concat: quantities.map(panel),
  });
}

/**
 * One panel a component: the local hypergradients of every window, and the glocal one at its end, with respect to the
 * unconstrained coordinates.
 * @param components in the order of the panels.
 */
export function hypergradientChart(
  title: string,
  subtitle: string,
  components: readonly string[],
  points: readonly HypergradientPoint[],
): Promise<string> {
  const marks = (kind: HypergradientKind, mark: object) => ({
    transform: [{ filter: { field: 'kind', equal: kind } }],
    mark: { type: 'point', filled: true, ...mark },
    encoding: {
      x: STEPS,
      y: { field: 'value', type: 'quantitative', title: null, axis: { tickCount: 5, format: '~g' } },
      color: {
        field: 'kind',
        type: 'nominal',
        scale: { domain: ['local', 'glocal'], range: COLOURS },
        legend: { symbolType: 'circle' },
      },
    },
  });
  return render({
    title: { text: title, subtitle },
    data: { values: [...points] },
    columns: 2,
    spacing: 36,
    concat: components.map((component) => ({
      ...PANEL,
      title: panelTitle(component),
      transform: [{ filter: { field: 'component', equal: component } }],
      layer: [
        { mark: { type: 'rule', color: '#d4d4d8' }, encoding: { y: { datum: 0 } } },
        marks('local', { size: 14, opacity: 0.6 }),
        marks('glocal', { size: 46, opacity: 1 }),
      ],
    })),
  });
}

/** Letters that the square picture has room for: what is wider, by Vega's estimate without a font, makes it wider, too. */
const LINE = 60;

/** In several lines, broken between its parts. */
function linesOf(text: string): string[] {
  const lines: string[] = [];
  for (const part of text.split(' · ')) {
    const last = lines.at(-1);
    const joined = `${last} · ${part}`;
    if (last === undefined || joined.length > LINE) lines.push(part);
    else lines[lines.length - 1] = joined;
  }
  return lines;
}

/**
 * Eigenvalues of all windows around the unit circle, early windows light, late ones dark; the disc around 1 is where a
 * mode counts as steady.
 * @param tolerance radius of that disc.
 */
export function spectrumChart(
  title: string,
  subtitle: string,
  tolerance: number,
  points: readonly EigenvaluePoint[],
): Promise<string> {
  const reach = Math.max(1.25, ...points.map(({ re, im }) => Math.min(1.6, Math.hypot(re, im) + 0.1)));
  const axis = (field: 're' | 'im', text: string) => ({
    field,
    type: 'quantitative',
    title: text,
    scale: { domain: [-reach, reach], nice: false },
    axis: { values: [-1, -0.5, 0, 0.5, 1] },
  });
  const inView = points.filter(({ re, im }) => Math.abs(re) <= reach && Math.abs(im) <= reach);
  const outside = points.length - inView.length;
  const note = outside === 0 ? subtitle : `${subtitle} · ${outside} outside the picture`;
  const ring = (radius: number, centre: number) =>
    Array.from({ length: 121 }, (_, i) => {
      const angle = (i / 120) * 2 * Math.PI;
      return { re: centre + radius * Math.cos(angle), im: radius * Math.sin(angle), order: i };
    });
  const curve = (radius: number, centre: number, mark: object) => ({
    data: { values: ring(radius, centre) },
    mark: { type: 'line', ...mark },
    encoding: { x: axis('re', 'real part'), y: axis('im', 'imaginary part'), order: { field: 'order' } },
  });
  return render({
    title: { text: title, subtitle: linesOf(note) },
    width: 460,
    height: 460,
    layer: [
      curve(1, 0, { stroke: '#71717a', strokeWidth: 1.5 }),
      curve(tolerance, 1, {
        stroke: '#059669',
        strokeWidth: 1.5,
        strokeDash: [4, 3],
        fill: '#059669',
        fillOpacity: 0.08,
      }),
      {
        data: { values: inView },
        mark: { type: 'point', filled: true, opacity: 0.75, stroke: 'white', strokeWidth: 0.6 },
        encoding: {
          x: axis('re', 'real part'),
          y: axis('im', 'imaginary part'),
          size: {
            field: 'energy',
            type: 'quantitative',
            scale: { domain: [0, 1], range: [18, 320] },
            legend: {
              title: 'share of energy',
              orient: 'right',
              values: [0.05, 0.25, 1],
              format: '~g',
              titleFontWeight: 500,
            },
          },
          color: {
            field: 'outerStep',
            type: 'quantitative',
            scale: { range: ['#bfdbfe', '#1e3a8a'] },
            legend: { title: 'outer step', orient: 'right', titleFontWeight: 500, tickMinStep: 1 },
          },
        },
      },
    ],
  });
}
