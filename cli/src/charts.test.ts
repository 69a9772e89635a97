import { describe, expect, it } from 'vitest';
import {
  type EigenvaluePoint,
  hypergradientChart,
  type Quantity,
  spectrumChart,
  trajectoryChart,
} from './charts.ts';

const quantities: readonly Quantity[] = [
  { name: 'lr', title: 'learning rate', scale: 'log', interpolate: 'step-after' },
  { name: 'validation', title: 'validation loss (nats)', scale: 'linear', interpolate: 'linear' },
];
const run = (name: string, steps: readonly number[]) =>
  quantities.flatMap(({ name: quantity }) =>
    steps.map((step) => ({ run: name, step, quantity, value: 0.01 * (1 + step) })),
  );

const count = (svg: string, role: string) => svg.split(`aria-roledescription="${role}"`).length - 1;

describe('the picture of quantities over training', () => {
  it('has a panel for each quantity and in it a line for each run', async () => {
    const points = [...run('FIXED', [0, 50]), ...run('GLOCAL', [0, 50])];
    const svg = await trajectoryChart('Title', 'Subtitle', ['FIXED', 'GLOCAL'], quantities, points);
    expect(count(svg, 'line mark')).toBe(4);
    for (const text of ['Title', 'Subtitle', 'FIXED', 'GLOCAL', 'learning rate'])
      expect(svg).toContain(`>${text}<`);
  });

  it('has several lines of a run in a panel where a quantity has them', async () => {
    const points = ['smallest', 'largest'].flatMap((line) =>
      run('FIXED', [0, 50]).map((point) => ({ ...point, line })),
    );
    const svg = await trajectoryChart('Title', '', ['FIXED'], quantities, points);
    expect(count(svg, 'line mark')).toBe(4);
  });

  it('gives a run its colour by its place, whatever it is called', async () => {
    const colours = async (...names: string[]) => {
      const svg = await trajectoryChart(
        '',
        '',
        names,
        quantities,
        names.flatMap((name) => run(name, [0, 50])),
      );
      return [...svg.matchAll(/aria-roledescription="line mark"[^>]*stroke="([^"]+)"/g)].map(
        ([, colour]) => colour,
      );
    };
    const [first, second] = await colours('A', 'B');
    expect(first).toBeDefined();
    expect(second).not.toBe(first);
    expect(await colours('X', 'Y')).toEqual(await colours('A', 'B'));
  });

  it('can be drawn of runs that stopped at once', async () => {
    const svg = await trajectoryChart('Title', '', ['FIXED'], quantities, run('FIXED', [0]));
    expect(svg).toMatch(/^<svg /);
  });

  it('escapes what its texts contain', async () => {
    const svg = await trajectoryChart('a < b & c', '', ['FIXED'], quantities, run('FIXED', [0, 50]));
    expect(svg).toContain('a &lt; b &amp; c');
  });
});

describe('the picture of hypergradients', () => {
  it('has a panel for each component, with the rows of the windows and the estimates', async () => {
    const points = ['lr', 'momentum'].flatMap((component) => [
      { component, step: 10, value: 0.1, kind: 'local' as const },
      { component, step: 11, value: -0.1, kind: 'local' as const },
      { component, step: 50, value: 0.05, kind: 'glocal' as const },
    ]);
    const svg = await hypergradientChart('Hypergradients', '1 window', ['lr', 'momentum'], points);
    expect(count(svg, 'point')).toBe(6);
    for (const text of ['lr', 'momentum', 'local', 'glocal']) expect(svg).toContain(`>${text}<`);
  });
});

describe('the picture of the eigenvalues', () => {
  const point = (re: number, im: number): EigenvaluePoint => ({
    outerStep: 1,
    re,
    im,
    energy: 0.5,
    steady: false,
  });
  const draw = (points: readonly EigenvaluePoint[]) => spectrumChart('Spectrum', '3 windows', 0.1, points);

  it('has a point for each eigenvalue', async () => {
    const svg = await draw([point(1, 0), point(0.5, 0.5), point(0.5, -0.5)]);
    expect(count(svg, 'point')).toBe(3);
    expect(svg).toContain('>3 windows<');
  });

  it('grows with eigenvalues outside the unit circle', async () => {
    expect(count(await draw([point(1.4, 0)]), 'point')).toBe(1);
  });

  it('says how many eigenvalues it does not show', async () => {
    const svg = await draw([point(1, 0), point(7, 0), point(0, -3)]);
    expect(count(svg, 'point')).toBe(1);
    expect(svg).toContain('>3 windows · 2 outside the picture<');
  });

  it('is no wider for a long subtitle', async () => {
    const widthOf = (svg: string) => Number(svg.match(/ width="(\d+)"/)?.[1]);
    const parts = [
      'fashion-mnist-10k',
      'wide-resnet',
      '40 windows',
      'steady inside the dashed disc around 1',
    ];
    const [short, long] = await Promise.all(
      ['a', parts.join(' · ')].map((subtitle) => spectrumChart('Spectrum', subtitle, 0.1, [point(1, 0)])),
    );
    expect(widthOf(long ?? '')).toBe(widthOf(short ?? ''));
    for (const line of [parts.slice(0, 3).join(' · '), parts[3]]) expect(long).toContain(`>${line}<`);
  });

  it('can be drawn without any', async () => {
    expect(count(await draw([]), 'point')).toBe(0);
  });
});
