import { expect, it } from 'vitest';
import type { Lab } from '../experiment.ts';
import type { Finished } from '../outcome.ts';
import { estimatorsCompared } from './estimators.ts';

const row = (table: string, title: string, accuracies: readonly number[]): Finished => ({
  arm: { id: `${table}: ${title}`, table, title, readout: 'averaged', tuned: title !== 'FIXED' },
  ...{ study: `studies/${title}`, predictedCost: 1, steps: 100 },
  trials: accuracies.map((accuracy, seed) => ({
    ...{ accuracy, validationAccuracy: accuracy, start: 0.1, seed, cost: 1, loss: 0.3, rate: 0.1 },
    ...{ seconds: 60, reason: '', trial: `${title}/${seed}`, backend: 'cpu', state: 'SUCCEEDED' },
  })),
});

const notes: string[] = [];
const analysed = async (finished: readonly Finished[]) => {
  const lab = { note: (text: string) => notes.push(text) } as unknown as Lab;
  return (await estimatorsCompared.analyse?.(lab, finished)) ?? { tables: [], figures: [] };
};

it('has every row of a table less the default of that table', async () => {
  const { tables, figures } = await analysed([
    row('letters', 'GLOCAL, AFFINE: the default', [0.9, 0.8]),
    row('letters', 'LOCAL', [0.88, 0.78]),
    row('letters', 'FIXED', [0.3, 0.1]),
    row('images', 'GLOCAL, AFFINE: the default', [0.5]),
    row('images', 'FIXED', [0.4]),
  ]);
  expect(tables.map(({ id, rows }) => [id, rows])).toEqual([
    [
      'letters-paired',
      [
        ['LOCAL', '−2.00', '−2.00 to −2.00', '2 of 2'],
        ['FIXED', '−65.00', '−128.53 to −1.47', '2 of 2'],
      ],
    ],
    ['images-paired', [['FIXED', '−10.00', '–', '1 of 1']]],
  ]);
  expect(figures.map(({ id }) => id)).toEqual(['less-the-default']);
  // Beside 65 points nothing else could be seen.
  expect(figures[0]?.svg).toContain('LOCAL');
  expect(figures[0]?.svg).not.toContain('FIXED');
  expect(notes).toEqual([]);
});

it('says so where the default was not asked for', async () => {
  expect(await analysed([row('letters', 'LOCAL', [0.88])])).toEqual({ tables: [], figures: [] });
  expect(notes).toEqual([expect.stringMatching(/^letters: .*GLOCAL, AFFINE: the default/)]);
});
