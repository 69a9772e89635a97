import { describe, expect, it } from 'vitest';
import { accountFor, type EndedTrial, type Told, verdictOf } from './account.ts';

const step = (index: number, loss: number): EndedTrial['steps'][number] & { loss: number } => ({
  index,
  loss,
});
const trial = (seed: number, change: Partial<EndedTrial> = {}): EndedTrial => ({
  ...{ name: `studies/a/trials/${seed}`, seed, state: 'SUCCEEDED', stateReason: '', result: 0.5 },
  steps: [step(1, 2), step(2, 1)],
  ...change,
});
const expected = new Map([1, 2].map((seed) => [seed, trial(seed)]));
const all = [trial(1), trial(2)];
const stepsOf = (seed: number) => [1, 2].map((i) => `studies/a/trials/${seed}/outerSteps/${i}`);
const told: Told = { cursors: [1, 2, 3], outerSteps: [...stepsOf(1), ...stepsOf(2)] };
const verdict = (trials: readonly EndedTrial[], heard = told) =>
  verdictOf(accountFor('studies/a', 2, trials, heard, expected));

describe('the account of a fleet’s work', () => {
  it('has nothing to say where all is as it was without disturbance', () => {
    expect(verdict(all)).toBe('lost 0, doubled 0, diverged 0');
  });

  it('finds what is lost: a trial, a result, an outer step, an event', () => {
    expect(verdict([trial(1)])).toBe('lost 1, doubled 0, diverged 0');
    expect(verdict([trial(1), trial(2, { state: 'FAILED' })])).toBe('lost 1, doubled 0, diverged 0');
    expect(verdict([trial(1), trial(2, { steps: trial(2).steps.slice(0, 1) })])).toBe(
      'lost 1, doubled 0, diverged 1',
    );
    expect(verdict(all, { ...told, outerSteps: told.outerSteps.slice(1) })).toBe(
      'lost 1, doubled 0, diverged 0',
    );
    expect(verdict(all, { ...told, cursors: [1, 3] })).toBe('lost 1, doubled 0, diverged 0');
  });

  it('finds what is there twice: a trial, an outer step, an event', () => {
    expect(verdict([...all, trial(2)])).toBe('lost 0, doubled 1, diverged 0');
    const twice = trial(2, { steps: [...trial(2).steps, ...trial(2).steps.slice(1)] });
    expect(verdict([trial(1), twice])).toBe('lost 0, doubled 1, diverged 1');
    expect(verdict(all, { ...told, outerSteps: [...told.outerSteps, ...stepsOf(2)] })).toBe(
      'lost 0, doubled 1, diverged 0',
    );
  });

  it('finds what came out otherwise: an outer step, a result', () => {
    const steps = [step(1, 2), step(2, 1 + Number.EPSILON)];
    expect(verdict([trial(1), trial(2, { steps })])).toBe('lost 0, doubled 0, diverged 1');
    expect(verdict([trial(1), trial(2, { result: 0.4 })])).toBe('lost 0, doubled 0, diverged 1');
  });
});
