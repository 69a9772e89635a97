import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Finished } from '../outcome.ts';
import { type Circumstances, Ledger } from './ledger.ts';
import { thisMachine } from './machine.ts';

const circumstances = (version: string): Circumstances => ({
  ...{ command: 'npm run experiment -- a', version, commit: '', machine: thisMachine() },
});
const finished = (...trials: readonly string[]): Finished => inRow('row', trials);
const inRow = (id: string, trials: readonly string[]): Finished => ({
  arm: { id, table: 'table', title: 'row', readout: 'last', tuned: true },
  ...{ study: 'studies/a', predictedCost: 1, steps: 100 },
  trials: trials.map((trial, seed) => ({
    ...{ trial, start: undefined, seed, state: 'SUCCEEDED', reason: '', accuracy: 0.9, loss: 0.3 },
    ...{ validationAccuracy: 0.9, cost: undefined, rate: 0.1, seconds: 60, backend: 'cpu' },
  })),
});

describe('the ledger', () => {
  it('keeps with what a cell was made, when a newer version finds it again', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'glocal-test-'));
    await (await Ledger.open(folder.path, circumstances('1'))).add(finished('a'));
    const later = await Ledger.open(folder.path, circumstances('2'));
    await later.add(finished('a', 'b'));
    const entries = (await Ledger.open(folder.path, circumstances('3'))).entries;
    expect(entries.map(({ trial, version, seed, cost }) => ({ trial, version, seed, cost }))).toEqual([
      { trial: 'a', version: '1', seed: 0, cost: null },
      { trial: 'b', version: '2', seed: 1, cost: null },
    ]);
  });

  it('has a trial in each row that its weights are read out for', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'glocal-test-'));
    const ledger = await Ledger.open(folder.path, circumstances('1'));
    for (const row of ['last', 'averaged', 'last']) await ledger.add(inRow(row, ['a']));
    expect(ledger.entries.map(({ trial, row }) => [trial, row])).toEqual([
      ['a', 'last'],
      ['a', 'averaged'],
    ]);
  });
});
