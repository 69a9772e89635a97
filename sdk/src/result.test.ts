import { describe, expect, it } from 'vitest';
import type { TrialState } from './enums.ts';
import { bestTrial, type TrialResult, VerdictCounter } from './result.ts';

const trial = (name: string, state: TrialState, loss: number | undefined) =>
  ({ name, state, validation: loss === undefined ? undefined : { loss } }) as TrialResult;

describe('bestTrial', () => {
  it('is the one with the lowest validation loss among those that succeeded', () => {
    const trials = [
      trial('a', 'SUCCEEDED', 0.5),
      trial('b', 'INFEASIBLE', 0.1),
      trial('c', 'SUCCEEDED', 0.3),
      trial('d', 'SUCCEEDED', Number.NaN),
      trial('e', 'SUCCEEDED', 0.4),
    ];
    expect(bestTrial(trials)?.name).toBe('c');
    expect(bestTrial(trials.toReversed())?.name).toBe('c');
  });

  it('is undefined when none succeeded', () => {
    expect(bestTrial([trial('a', 'FAILED', 0.5)])).toBeUndefined();
  });

  it('is a trial without a finite loss when there is no other', () => {
    expect(bestTrial([trial('a', 'SUCCEEDED', undefined)])?.name).toBe('a');
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
