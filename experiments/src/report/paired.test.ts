import { expect, it } from 'vitest';
import type { Finished } from '../outcome.ts';
import { pairedDifferences, pairedTable } from './paired.ts';

const row = (title: string, accuracies: readonly (number | undefined)[]): Finished => ({
  arm: { id: title, table: 'images', title, readout: 'averaged', tuned: true },
  ...{ study: `studies/${title}`, predictedCost: 1, steps: 100 },
  trials: accuracies.map((accuracy, i) => ({
    ...{ accuracy, validationAccuracy: accuracy, start: i < 2 ? 0.1 : 1, seed: i % 2, cost: 1, loss: 0.3 },
    ...{ rate: 0.1, seconds: 60, reason: '', trial: `${title}/${i}`, backend: 'cpu' },
    state: accuracy === undefined ? 'INFEASIBLE' : 'SUCCEEDED',
  })),
});
const reference = row('default', [0.7, 0.8, 0.9, 0.6]);

it('are between runs of the same start and seed, in whatever order they come', () => {
  const other = row('other', [0.71, 0.82, 0.93, 0.64]);
  const reversed: Finished = { ...other, trials: other.trials.toReversed() };
  const differences = pairedDifferences(reference, [reversed]);
  // Mean .025, deviation .0129, 3 degrees of freedom.
  expect(pairedTable('images', 'default', differences).rows).toEqual([
    ['other', '+2.50', '+0.45 to +4.55', '4 of 4'],
  ]);
});

it('have no mean where the other has no such run, or one that failed', () => {
  const failed = row('default', [0.7, 0.8, undefined, 0.6]);
  const short: Finished = { ...reference, trials: reference.trials.slice(1) };
  for (const other of [failed, short]) {
    const [difference] = pairedDifferences(other, [row('whole', [0.7, 0.8, 0.9, 0.6])]);
    expect(difference).toMatchObject({ difference: undefined, complete: 3, pairs: 4 });
  }
});

it('have no mean without a run that failed', () => {
  const other = row('other', [0.71, undefined, 0.93, 0.64]);
  expect(pairedTable('images', 'default', pairedDifferences(reference, [other])).rows).toEqual([
    ['other', '–', '–', '3 of 4'],
  ]);
});
