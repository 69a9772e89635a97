import { OuterStep, Study, StudyState, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import { describe, expect, it } from 'vitest';
import { StateError } from '../resource/errors.ts';
import {
  advanceTrial,
  cancelStudy,
  cancelTrial,
  concludeStudy,
  describeRuntime,
  endTrial,
  interruptTrial,
  startTrial,
} from './transitions.ts';

const now = new Date(5_000);
const { PENDING, RUNNING, SUCCEEDED, FAILED, INFEASIBLE, CANCELLED } = TrialState;
const STATES = [PENDING, RUNNING, SUCCEEDED, FAILED, INFEASIBLE, CANCELLED];
const trial = (state: TrialState) => Trial.fromPartial({ name: 'studies/a/trials/0', state });
const step = OuterStep.fromPartial({ index: 1, step: 50, nextValues: [{ name: 'lr', value: 0.2 }] });

describe.each<[string, (before: Trial) => Trial, TrialState[], Partial<Trial>]>([
  [
    'starting',
    (before) => startTrial(before, now),
    [PENDING],
    { state: RUNNING, startTime: now, attempts: 1 },
  ],
  [
    'describing what computes',
    (before) => describeRuntime(before, { backend: 'wasm', datasetSha256: 'ab', stateReason: '' }),
    [RUNNING],
    { state: RUNNING, backend: 'wasm', datasetSha256: 'ab' },
  ],
  [
    'moving on',
    (before) => advanceTrial(before, step),
    [RUNNING],
    { state: RUNNING, stepsDone: 50, outerStepsDone: 1, values: step.nextValues },
  ],
  [
    'interrupting',
    (before) => interruptTrial(before, { why: 'the server stopped', crashed: true }),
    [RUNNING],
    { state: PENDING, stateReason: 'the server stopped; it starts again', crashes: 1, endTime: undefined },
  ],
  [
    'ending',
    (before) => endTrial(before, { state: INFEASIBLE, reason: 'diverged' }, now),
    [RUNNING],
    { state: INFEASIBLE, stateReason: 'diverged', endTime: now },
  ],
  [
    'cancelling',
    (before) => cancelTrial(before, now),
    [PENDING, RUNNING],
    { state: CANCELLED, stateReason: 'the study was cancelled', endTime: now },
  ],
])('%s a trial', (_, transition, allowed, expected) => {
  it.each(STATES)('from state %i is done or refused', (state) => {
    const before = trial(state);
    if (allowed.includes(state)) {
      expect(transition(before)).toMatchObject(expected);
    } else {
      expect(() => transition(before)).toThrow(StateError);
    }
    expect(before).toEqual(trial(state));
  });
});

it('a trial moves on by the next outer step only', () => {
  expect(() => advanceTrial(trial(RUNNING), { ...step, index: 2 })).toThrow(
    'studies/a/trials/0 has 0 outer steps, so that its next cannot be number 2',
  );
});

it('a reason that is a whole page of what a library says is cut', () => {
  const { stateReason } = endTrial(trial(RUNNING), { state: FAILED, reason: '😀'.repeat(5_000) }, now);
  expect(stateReason).toHaveLength(2_000);
  expect(stateReason.endsWith('…')).toBe(true);
  expect(stateReason.isWellFormed()).toBe(true);
});

describe('a study', () => {
  const study = (state: StudyState) => Study.fromPartial({ name: 'studies/a', state });

  it.each([StudyState.COMPLETED, StudyState.CANCELLED, StudyState.FAILED])(
    'in state %i is not cancelled, and its trials do not end it again',
    (state) => {
      expect(() => cancelStudy(study(state), now)).toThrow(StateError);
      expect(concludeStudy(study(state), [trial(SUCCEEDED)], now)).toBeUndefined();
    },
  );

  it.each([PENDING, RUNNING])('goes on while a trial is in state %i', (state) => {
    expect(concludeStudy(study(StudyState.ACTIVE), [trial(SUCCEEDED), trial(state)], now)).toBeUndefined();
  });

  it.each([
    [[SUCCEEDED, FAILED], StudyState.COMPLETED, '1 of 2 trials succeeded'],
    [[INFEASIBLE, FAILED], StudyState.FAILED, '0 of 2 trials succeeded'],
  ])('whose trials ended as %o has ended', (states, state, stateReason) => {
    const ended = concludeStudy(study(StudyState.ACTIVE), states.map(trial), now);
    expect(ended).toMatchObject({ state, stateReason, updateTime: now });
  });
});
