import type { Study } from '@glocal/sdk';
import { expect, it } from 'vitest';
import { countingLoss, drawStudies, hypergradientPoints, titlesOf, valuePoints } from './plot.ts';

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

it('a vector that moves has a panel for each value, and one that does not has none', () => {
  const columns = ['lr/kernel', 'lr/bias', 'momentum', 'classWeights/0', 'classWeights/1'];
  const values = (lr: readonly number[]) => ({ lr, momentum: 0.9, classWeights: [1, 2], optimizer: 'sgd' });
  const points = [
    { step: 0, values: values([0.1, 0.1]) },
    { step: 20, values: values([0.1, 0.2]) },
  ];
  expect(valuePoints('x', { columns, points })).toEqual(
    [0.1, 0.2].flatMap((bias, i) => [
      { run: 'x', step: 20 * i, quantity: 'lr/kernel', value: 0.1 },
      { run: 'x', step: 20 * i, quantity: 'lr/bias', value: bias },
      { run: 'x', step: 20 * i, quantity: 'momentum', value: 0.9 },
    ]),
  );
});

it('a long vector is three lines', () => {
  const values = (last: number) => ({ weights: [...Array.from({ length: 19 }, () => 1), last] });
  const points = [
    { step: 0, values: values(1) },
    { step: 20, values: values(3) },
  ];
  expect(valuePoints('x', { columns: [], points }).slice(3)).toEqual([
    { run: 'x', step: 20, quantity: 'weights', line: 'smallest', value: 1 },
    { run: 'x', step: 20, quantity: 'weights', line: 'mean', value: 1.1 },
    { run: 'x', step: 20, quantity: 'weights', line: 'largest', value: 3 },
  ]);
});

it.each(['schedule', 'losses'] as const)(
  'there is no picture (%s) before the first outer step',
  async (what) => {
    const study = {
      ...{ name: 'studies/a', displayName: '', method: {}, problem: {}, space: { parameters: {} } },
      schedule: async () => ({ columns: ['lr'], points: [{ step: 0, values: { lr: 0.1 } }] }),
      outerSteps: async function* () {},
    } as unknown as Study;
    await expect(drawStudies(what, [study], 0)).rejects.toThrow(
      /^there is nothing to draw yet: .*studies\/a/,
    );
  },
);
