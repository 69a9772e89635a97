import { Study, StudyState, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import { describe, expect, it } from 'vitest';
import { StateError } from '../resource/errors.ts';
import { cancelStudy, pauseStudy, resumeStudy, settleStudy, takeUpStudy } from './study-transitions.ts';
import { STUDY_TRANSITIONS, type StudyTransition } from './table.ts';

const now = new Date(5_000);
const { ACTIVE, COMPLETED, CANCELLED, FAILED, PAUSED } = StudyState;
const STATES = [ACTIVE, COMPLETED, CANCELLED, FAILED, PAUSED];
const study = (state: StudyState) => Study.fromPartial({ name: 'studies/a', state });
const trial = (state: TrialState) =>
  Trial.fromPartial({ name: 'studies/a/trials/0', state, stateReason: 'no decision came' });

/** What the functions do by the names of the table; `end` and `stall` come about by the trials. */
const DONE: Record<Exclude<StudyTransition, 'end' | 'stall'>, (before: Study) => Study> = {
  'be paused': (before) => pauseStudy(before, now),
  'be resumed': (before) => resumeStudy(before, 'caller', now),
  'be taken up again': (before) => takeUpStudy(before, now),
  'be cancelled': (before) => cancelStudy(before, now),
};

describe.each(Object.entries(DONE))('a study, to %s', (what, change) => {
  const { from, to } = STUDY_TRANSITIONS[what as StudyTransition];

  it.each(STATES)('from state %i is done or refused, as the table says', (state) => {
    const before = study(state);
    if ((from as readonly StudyState[]).includes(state)) {
      expect(change(before)).toMatchObject({ updateTime: now });
      expect(to).toContain(change(before).state);
    } else {
      expect(() => change(before)).toThrow(StateError);
    }
    expect(before).toEqual(study(state));
  });
});

it('a study is resumed by nobody who trains it', () => {
  expect(() => resumeStudy(study(PAUSED), 'worker', now)).toThrow(
    'studies/a is PAUSED and cannot be resumed',
  );
});

describe('a study, when something has happened to a trial', () => {
  it.each([COMPLETED, CANCELLED, FAILED])('in state %i stays as it is', (state) => {
    expect(settleStudy(study(state), [trial(TrialState.SUCCEEDED)], now)).toBeUndefined();
  });

  it.each([TrialState.PENDING, TrialState.RUNNING])('goes on while a trial is in state %i', (state) => {
    const trials = [trial(TrialState.SUCCEEDED), trial(TrialState.PAUSED), trial(state)];
    expect(settleStudy(study(ACTIVE), trials, now)).toBeUndefined();
  });

  it.each([
    [[TrialState.SUCCEEDED, TrialState.FAILED], COMPLETED, '1 of 2 trials succeeded'],
    [[TrialState.INFEASIBLE, TrialState.FAILED], FAILED, '0 of 2 trials succeeded'],
    [
      [TrialState.SUCCEEDED, TrialState.PAUSED],
      PAUSED,
      '1 of 2 trials are paused, and no other is left: no decision came',
    ],
  ])('of trials in states %o has ended or is PAUSED', (states, state, stateReason) => {
    const settled = settleStudy(study(ACTIVE), states.map(trial), now);
    expect(settled).toMatchObject({ state, stateReason, updateTime: now });
  });

  it('ends also when it was paused, and stays PAUSED otherwise', () => {
    expect(settleStudy(study(PAUSED), [trial(TrialState.SUCCEEDED)], now)?.state).toBe(COMPLETED);
    expect(settleStudy(study(PAUSED), [trial(TrialState.PAUSED)], now)).toBeUndefined();
  });
});
