import { describe, expect, it } from 'vitest';
import type { Finished, Outcome } from './run.ts';
import { tables } from './tables.ts';

const trial = (start: number, seed: number, accuracy: number | undefined, cost = 1.3): Outcome => ({
  ...{ start, seed, accuracy, cost, loss: 0.3, rate: 0.1, seconds: 60 },
  ...{ state: accuracy === undefined ? 'INFEASIBLE' : 'SUCCEEDED', reason: '', backend: 'cpu' },
});
const arm = (table: string, title: string, trials: readonly Outcome[]): Finished => ({
  arm: { id: `${table}: ${title}`, table, title, readout: 'last' },
  ...{ study: 'studies/a', predictedCost: 1.3, trials },
});

describe('the tables of an experiment', () => {
  it('have a row for each arm and a column for each start, with mean and half range over the seeds', () => {
    const tuned = arm('images', 'tuned', [trial(0.01, 0, 0.9), trial(0.01, 1, 0.88), trial(0.1, 0, 0.91)]);
    const plain = arm('images', 'plain', [trial(0.1, 0, 0.8, 1)]);
    expect(tables([tuned, plain])).toBe(
      [
        'images\n',
        '|  | from 0.01 | from 0.1 | cost |',
        '| --- | --- | --- | --- |',
        '| tuned | 89.0 ± 1.0 | 91.0 | 1.30 |',
        '| plain |  | 80.0 | 1.00 |\n',
      ].join('\n'),
    );
  });

  it('say how many trials failed', () => {
    const table = tables([arm('images', 'plain', [trial(1, 0, undefined), trial(1, 1, 0.9)])]);
    expect(table).toContain('| plain | 1 of 2 failed |');
  });

  it('are one for each task', () => {
    const both = [arm('images', 'plain', [trial(1, 0, 0.9)]), arm('letters', 'plain', [trial(1, 0, 0.8)])];
    expect(tables(both).match(/^\w+$/gm)).toEqual(['images', 'letters']);
  });
});
