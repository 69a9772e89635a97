import { describe, expect, it } from 'vitest';
import type { Finished, Outcome } from '../outcome.ts';
import { accuracyTables } from './accuracy-table.ts';
import { csv, markdown } from './table.ts';

const trial = (
  start: number,
  seed: number,
  accuracy: number | undefined,
  changes: Partial<Outcome> = {},
): Outcome => ({
  ...{ trial: `studies/a/trials/${start}-${seed}`, start, seed, accuracy, cost: 1.3, loss: 0.3, rate: 0.1 },
  ...{ validationAccuracy: accuracy, seconds: 60, reason: '', backend: 'cpu' },
  state: accuracy === undefined ? 'INFEASIBLE' : 'SUCCEEDED',
  ...changes,
});
const arm = (table: string, title: string, trials: readonly Outcome[], grid?: boolean): Finished => ({
  arm: { id: `${table}: ${title}`, table, title, readout: 'last', tuned: !grid, ...(grid && { grid }) },
  ...{ study: 'studies/a', predictedCost: 1.3, steps: 100, trials },
});
const rows = (...finished: readonly Finished[]) => accuracyTables(finished)[0]?.rows;

describe('the tables of accuracies', () => {
  it('have a row for each arm and a column for each start, with mean and half range over the seeds', () => {
    const tuned = arm('images', 'tuned', [trial(0.01, 0, 0.9), trial(0.01, 1, 0.88), trial(0.1, 0, 0.91)]);
    const plain = arm('images', 'plain', [trial(0.1, 0, 0.8, { cost: 1 })]);
    expect(accuracyTables([tuned, plain]).map(markdown)).toEqual([
      [
        'images\n',
        '|  | from 0.01 | from 0.1 | cost |',
        '| --- | --- | --- | --- |',
        '| tuned | 89.0 ± 1.0 | 91.0 | 1.30 |',
        '| plain |  | 80.0 | 1.00 |\n',
      ].join('\n'),
    ]);
  });

  it('show what failed, and no mean without it', () => {
    const diverged = arm('images', 'plain', [trial(1, 0, undefined), trial(1, 1, 0.9)]);
    expect(rows(diverged)?.[0]?.[1]).toBe('90.0, 1 of 2 diverged');
    const failed = arm('images', 'plain', [trial(1, 0, undefined, { state: 'FAILED' }), trial(1, 1, 0.9)]);
    expect(rows(failed)?.[0]?.[1]).toBe('90.0, 1 of 2 failed');
  });

  it('have arms of one title in one row', () => {
    const low = arm('images', 'cosine', [trial(0.1, 0, 0.8)]);
    const high = arm('images', 'cosine', [trial(0.2, 0, 0.9)]);
    expect(rows(high, low)).toEqual([['cosine', '80.0', '90.0', '1.30']]);
  });

  it('say what a grid gives to who takes the best by validation, which costs all of it', () => {
    const trials = [
      trial(0.1, 0, 0.8, { validationAccuracy: 0.9 }),
      trial(0.2, 0, 0.9, { validationAccuracy: 0.7 }),
      trial(0.1, 1, 0.7),
      trial(0.2, 1, undefined),
    ];
    const [grid] = rows(arm('images', 'grid', trials, true)) ?? [];
    expect(grid?.slice(-2)).toEqual(['75.0 ± 5.0', '2.60']);
  });

  it('are one for each task', () => {
    const both = [arm('images', 'plain', [trial(0.1, 0, 0.9)]), arm('letters', 'plain', [trial(1, 0, 0.8)])];
    expect(accuracyTables(both).map(({ id }) => id)).toEqual(['images', 'letters']);
  });

  it('are CSV, too', () => {
    const table = { id: 'a', title: 'A', columns: ['', 'x'], rows: [['a, "b"', '1']] };
    expect(csv(table)).toBe(',x\r\n"a, ""b""",1\r\n');
  });
});
