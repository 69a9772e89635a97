import { describe, expect, it } from 'vitest';
import type { TrialState } from './enums.ts';
import { bestTrial, type TrialResult, VerdictCounter } from './result.ts';

const figures = (loss: number | undefined) => (loss === undefined ? undefined : { loss });
const trial = (name: string, state: TrialState, loss: number | undefined, averaged?: number) =>
  ({ name, state, validation: figures(loss), averagedValidation: figures(averaged) }) as TrialResult;
const best = (...trials: readonly TrialResult[]) => bestTrial(trials, 'last_iterate')?.name;

describe('bestTrial', () => {
  it('is the one with the lowest validation loss among those that succeeded', () => {
    const trials = [
      trial('a', 'SUCCEEDED', 0.5),
      trial('b', 'INFEASIBLE', 0.1),
      trial('c', 'SUCCEEDED', 0.3),
      trial('d', 'SUCCEEDED', Number.NaN),
      trial('e', 'SUCCEEDED', 0.4),
    ];
    expect(best(...trials)).toBe('c');
    expect(best(...trials.toReversed())).toBe('c');
  });

  it('is undefined when none succeeded', () => {
    expect(best(trial('a', 'FAILED', 0.5))).toBeUndefined();
  });

  it('is a trial without a finite loss when there is no other', () => {
    expect(best(trial('a', 'SUCCEEDED', undefined))).toBe('a');
  });

  it('is judged at the weights that were tuned, or at the last ones where there are no others', () => {
    const trials = [trial('a', 'SUCCEEDED', 0.9, 0.2), trial('b', 'SUCCEEDED', 0.3)];
    expect(best(...trials)).toBe('b');
    expect(bestTrial(trials, 'averaged')?.name).toBe('a');
  });
});

it('VerdictCounter counts for each trial', () => {
  const counter = new VerdictCounter();
  counter.add('a', 'TRUSTED');
  counter.add('a', 'TRUSTED');
  counter.add('b', 'DIVERGING');
  expect(counter.of('a')).toMatchObject({ TRUSTED: 2, DIVERGING: 0 });
  expect(counter.of('b')).toMatchObject({ TRUSTED: 0, DIVERGING: 1 });
  expect(counter.of('c')).toMatchObject({ TRUSTED: 0, DIVERGING: 0, UNKNOWN: 0 });
});
