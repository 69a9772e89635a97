/** Charts as files: SVG drawn from their data, PNG from that, CSV of the numbers. */

import { short } from '../format.ts';
import { colourOf } from '../palette.ts';
import type { Line } from './series-chart.tsx';

/** What is exported of a chart. */
export interface Exported {
  readonly title: string;
  readonly xLabel: string;
  readonly series: readonly (Pick<Line, 'label' | 'values' | 'colour' | 'dash'> & {
    readonly x: readonly number[];
  })[];
  readonly log: boolean;
}

/** Of a name in a legend, the characters that there is room for. */
const MOST_LETTERS = 24;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const [WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM] = [900, 480, 70, 40, 220, 50];

/** A picture that needs no style of this page. */
export function toSvg({ title, xLabel, series, log }: Exported): string {
  const scale = (value: number): number => (log ? Math.log10(value) : value);
  const points = series.map(({ x, values }) =>
    values.flatMap((value, i): [number, number][] =>
      value === null || (log && value <= 0) ? [] : [[x[i] ?? 0, scale(value)]],
    ),
  );
  const all = points.flat();
  const [x0, x1] = extent(all.map(([x]) => x));
  const [y0, y1] = extent(all.map(([, y]) => y));
  const px = (x: number): number => LEFT + ((x - x0) / (x1 - x0 || 1)) * (WIDTH - LEFT - RIGHT);
  const py = (y: number): number => HEIGHT - BOTTOM - ((y - y0) / (y1 - y0 || 1)) * (HEIGHT - TOP - BOTTOM);
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  const text = (x: number, y: number, content: string, anchor = 'start') =>
    `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escaped(content)}</text>`;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="13" fill="${colourOf('--text')}">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="${colourOf('--card')}"/>`,
    `<text x="${LEFT}" y="24" font-size="16" font-weight="600">${escaped(title)}</text>`,
    ...ticks.map((t) => {
      const y = y0 + t * (y1 - y0);
      const line = `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${py(y)}" y2="${py(y)}" stroke="${colourOf('--grid')}"/>`;
      return line + text(LEFT - 8, py(y) + 4, short(log ? 10 ** y : y), 'end');
    }),
    ...ticks.map((t) =>
      text(px(x0 + t * (x1 - x0)), HEIGHT - BOTTOM + 20, short(Math.round(x0 + t * (x1 - x0))), 'middle'),
    ),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, xLabel, 'middle'),
    ...series.map(({ label, colour, dash }, i) => {
      const path = (points[i] ?? []).map(([x, y]) => `${px(x).toFixed(1)},${py(y).toFixed(1)}`).join(' ');
      const style = `stroke="${colourOf(colour)}" stroke-width="2"${dash ? ` stroke-dasharray="${dash.join(' ')}"` : ''}`;
      const y = TOP + 10 + 20 * i;
      const legend = `<line x1="${WIDTH - RIGHT + 14}" x2="${WIDTH - RIGHT + 38}" y1="${y}" y2="${y}" ${style}/>`;
      return `<polyline fill="none" points="${path}" ${style}/>${legend}${text(WIDTH - RIGHT + 44, y + 4, shortened(label))}`;
    }),
    '</svg>',
  ];
  return parts.join('\n');
}

const shortened = (label: string): string =>
  label.length > MOST_LETTERS ? `${label.slice(0, MOST_LETTERS - 1)}…` : label;

/** Of any number of values. */
const extent = (values: readonly number[]): [number, number] =>
  values.length === 0
    ? [0, 1]
    : [
        values.reduce((low, value) => Math.min(low, value)),
        values.reduce((high, value) => Math.max(high, value)),
      ];

/** A picture of this page as one that needs no style of it. @param svg with a `viewBox` from 0, 0 */
export function detached(svg: SVGSVGElement): string {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const { width, height } = svg.viewBox.baseVal;
  const attributes = { width, height, 'font-family': 'system-ui, sans-serif', 'font-size': 11 };
  for (const [name, value] of Object.entries(attributes)) copy.setAttribute(name, String(value));
  copy.setAttribute('fill', 'var(--text)');
  const ground = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
  ground.setAttribute('width', String(width));
  ground.setAttribute('height', String(height));
  ground.setAttribute('fill', 'var(--card)');
  copy.prepend(ground);
  const text = new XMLSerializer().serializeToString(copy);
  return text.replace(/var\((--[\w-]+)\)/g, (_, variable: string) => colourOf(variable));
}

/** A row for each inner step that some series has a value at. */
export function toCsv({ xLabel, series }: Exported): string {
  const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const steps = [...new Set(series.flatMap(({ x }) => x))].sort((a, b) => a - b);
  const columns = series.map(({ x, values }) => new Map(x.map((step, i) => [step, values[i]])));
  const rows = steps.map((step) => [step, ...columns.map((column) => column.get(step) ?? '')].join(','));
  return `${[[xLabel, ...series.map(({ label }) => label)].map(quoted).join(','), ...rows].join('\n')}\n`;
}

/** Gives a file to whoever looks. */
export function save(name: string, type: string, content: BlobPart): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Draws an SVG as pixels, two for each of its own. */
export async function toPng(svg: string): Promise<Blob> {
  const image = new Image();
  const url = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
  try {
    image.src = url;
    await image.decode();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [2 * WIDTH, 2 * HEIGHT];
    canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) => {
      canvas.toBlob((blob) => (blob === null ? reject(new Error('no picture')) : resolve(blob)), 'image/png');
    });
  } finally {
    URL.revokeObjectURL(url);
  }
}
