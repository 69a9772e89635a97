import { expect, it } from 'vitest';
import type { Finished, Outcome } from '../outcome.ts';
import { differenceTables } from './differences.ts';

const trial = (seed: number, accuracy: number | undefined, validationAccuracy = accuracy): Outcome => ({
  ...{
    start: 0.1,
    seed,
    accuracy,
    validationAccuracy,
    cost: 1,
    loss: 0.3,
    rate: 0.1,
    seconds: 60,
    reason: '',
  },
  ...{
    trial: `studies/a/trials/${seed}`,
    backend: 'cpu',
    state: accuracy === undefined ? 'INFEASIBLE' : 'SUCCEEDED',
  },
});
const row = (title: string, tuned: boolean, trials: readonly Outcome[]): Finished => ({
  arm: { id: title, table: 'images', title, readout: 'last', tuned },
  ...{ study: `studies/${title}`, predictedCost: 1, steps: 100 },
  trials: trials.map((each) => ({ ...each, trial: `${title}/${each.seed}` })),
});

it('are taken seed by seed from the control that is best by validation, whatever its test accuracy', () => {
  const [table] = differenceTables([
    row('plain', false, [trial(0, 0.8, 0.85), trial(1, 0.9)]),
    row('cosine', false, [trial(0, 0.84, 0.8), trial(1, 0.7)]),
    row('tuned', true, [trial(0, 0.83), trial(1, 0.91)]),
  ]);
  expect(table?.rows).toEqual([['tuned', '0.1', '+2.0', '−10.7 to +14.7', '2 of 2']]);
  expect(table?.note).toContain('costs 2.0 plain runs');
});

it('have no mean without a seed that failed', () => {
  const controls = row('plain', false, [trial(0, 0.8), trial(1, 0.8)]);
  const [table] = differenceTables([controls, row('tuned', true, [trial(0, 0.9), trial(1, undefined)])]);
  expect(table?.rows).toEqual([['tuned', '0.1', '–', '–', '1 of 2']]);
});

it('are left out where there is nothing to compare', () => {
  expect(differenceTables([row('tuned', true, [trial(0, 0.9)])])).toEqual([]);
  expect(differenceTables([row('plain', false, [trial(0, 0.9)])])).toEqual([]);
});
