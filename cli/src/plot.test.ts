import type { Study } from '@glocal/sdk';
import { expect, it } from 'vitest';
import { countingLoss, hypergradientPoints, titlesOf } from './plot.ts';

const window = {
  components: ['lr', 'momentum'],
  firstStep: 31,
  rows: 2,
  stride: 3,
  hypergradients: [Float64Array.of(1, 2), Float64Array.of(3, Number.NaN)],
};

it('rows lie at the steps that they were taken at, and what is not finite is left out', () => {
  expect(hypergradientPoints({ window, report: undefined }, ['momentum', 'lr'])).toEqual([
    { component: 'momentum', step: 31, value: 2, kind: 'local' },
    { component: 'lr', step: 31, value: 1, kind: 'local' },
    { component: 'lr', step: 34, value: 3, kind: 'local' },
  ]);
});

it('studies that are called alike get different lines', () => {
  const study = (name: string, displayName: string) => ({ name: `studies/${name}`, displayName });
  expect(titlesOf([study('a', 'x'), study('b', ''), study('c', 'x')])).toEqual(['x (1)', 'b', 'x (3)']);
});

it.each([
  ['averaged', 'averaged'],
  ['last_iterate', 'validation'],
])(
  'a schedule of a study that tunes its %s weights is drawn with their validation loss',
  (evaluation, name) => {
    const method = { evaluation } as Study['method'];
    expect(countingLoss({ method })).toBe(name);
  },
);
