import { OuterStep, StudyState, Timing, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import { describe, expect, it } from 'vitest';
import { StateError } from '../resource/errors.ts';
import { type Actor, isAllowed, TRIAL_TRANSITIONS, type TrialTransition } from './table.ts';
import {
  advanceTrial,
  cancelTrial,
  describeRuntime,
  endTrial,
  holdBackTrial,
  interruptTrial,
  loseWorker,
  pauseTrial,
  resumeTrial,
  startTrial,
  takeUpTrial,
} from './transitions.ts';

const now = new Date(5_000);
const { PENDING, RUNNING, SUCCEEDED, FAILED, INFEASIBLE, CANCELLED, PAUSED } = TrialState;
const STATES = [PENDING, RUNNING, SUCCEEDED, FAILED, INFEASIBLE, CANCELLED, PAUSED];
const trial = (state: TrialState) => Trial.fromPartial({ name: 'studies/a/trials/0', state, attempts: 1 });
const step = OuterStep.fromPartial({ index: 1, step: 50, nextValues: [{ name: 'lr', value: 0.2 }] });
const timed = {
  ...step,
  timing: Timing.fromPartial({ training: { nanos: 8_000_000 }, plain: { nanos: 4_000_000 }, plainSteps: 25 }),
};
const stopped = { why: 'the server stopped', crashed: true };

describe.each<[string, TrialTransition, (before: Trial) => Trial, Partial<Trial>]>([
  ['starting', 'start', (before) => startTrial(before, now), { state: RUNNING, startTime: now, attempts: 2 }],
  [
    'describing what computes',
    'go on',
    (before) => describeRuntime(before, { backend: 'wasm', datasetSha256: 'ab', stateReason: '' }),
    { state: RUNNING, backend: 'wasm', datasetSha256: 'ab' },
  ],
  [
    'moving on',
    'go on',
    (before) => advanceTrial(before, step),
    { state: RUNNING, stepsDone: 50, outerStepsDone: 1, values: step.nextValues },
  ],
  [
    'interrupting',
    'be interrupted',
    (before) => interruptTrial(before, StudyState.ACTIVE, stopped),
    { state: PENDING, stateReason: 'the server stopped; it starts again', crashes: 1, endTime: undefined },
  ],
  [
    'interrupting in a study that was paused',
    'be paused',
    (before) => interruptTrial(before, StudyState.PAUSED, stopped),
    { state: PAUSED, stateReason: 'the server stopped; it starts again', crashes: 1, endTime: undefined },
  ],
  [
    'losing a worker of',
    'be interrupted',
    (before) => loseWorker(before, StudyState.ACTIVE, { why: 'it died', most: 2 }, now),
    { state: PENDING, stateReason: 'it died; it starts again', workerDeaths: 1, crashes: 0 },
  ],
  [
    'losing one worker too many of',
    'end',
    (before) =>
      loseWorker({ ...before, outerStepsDone: 3 }, StudyState.PAUSED, { why: 'it died', most: 1 }, now),
    {
      ...{ state: FAILED, workerDeaths: 1, endTime: now },
      stateReason:
        'it died: that is worker number 1 to be lost with it since it stored outer step 3, and it is not tried again by itself (--max-worker-deaths 1); its checkpoints are kept',
    },
  ],
  [
    'pausing',
    'be paused',
    (before) => pauseTrial({ ...before, outerStepsDone: 3 }, 'no decision came'),
    { state: PAUSED, stateReason: 'no decision came; it goes on after outer step 3' },
  ],
  [
    'holding back',
    'be held back',
    (before) => holdBackTrial({ ...before, attempts: 0 }),
    { state: PAUSED, stateReason: 'paused by a caller; it has not started yet' },
  ],
  [
    'resuming',
    'be resumed',
    (before) => resumeTrial(before, 'caller'),
    { state: PENDING, stateReason: 'resumed; it starts again' },
  ],
  [
    'taking up again',
    'be taken up again',
    (before) => takeUpTrial({ ...before, crashes: 3, endTime: now }),
    { state: PENDING, crashes: 0, endTime: undefined },
  ],
  [
    'ending',
    'end',
    (before) => endTrial(before, { state: INFEASIBLE, reason: 'diverged' }, now),
    { state: INFEASIBLE, stateReason: 'diverged', endTime: now },
  ],
  [
    'cancelling',
    'be cancelled',
    (before) => cancelTrial(before, now),
    { state: CANCELLED, stateReason: 'the study was cancelled', endTime: now },
  ],
])('%s a trial', (_, what, transition, expected) => {
  it.each(STATES)('from state %i is done or refused, as the table says', (state) => {
    const before = trial(state);
    const { from, to } = TRIAL_TRANSITIONS[what];
    if ((from as readonly TrialState[]).includes(state)) {
      expect(transition(before)).toMatchObject(expected);
      expect(to).toContain(transition(before).state);
    } else {
      expect(() => transition(before)).toThrow(StateError);
    }
    expect(before).toEqual(trial(state));
  });
});

it('forgets that a new trial waited, and keeps why another one goes on', () => {
  const waiting = { ...trial(PENDING), attempts: 0, stateReason: 'waiting for a worker' };
  expect(startTrial(waiting, now).stateReason).toBe('');
  const interrupted = { ...trial(PENDING), stateReason: 'the server stopped' };
  expect(startTrial(interrupted, now).stateReason).toBe('the server stopped');
});

describe('the table of transitions', () => {
  const ACTORS: Actor[] = ['caller', 'worker', 'server'];

  it.each(Object.entries(TRIAL_TRANSITIONS))('lets nobody else %s a trial', (_, transition) => {
    for (const state of STATES) {
      for (const actor of ACTORS) {
        const isListed =
          (transition.from as readonly TrialState[]).includes(state) &&
          (transition.by as readonly Actor[]).includes(actor);
        expect(isAllowed(transition, state, actor)).toBe(isListed);
      }
    }
  });

  it('is asked for who does it: no worker resumes a trial', () => {
    expect(() => resumeTrial(trial(PAUSED), 'worker')).toThrow(
      'studies/a/trials/0 is PAUSED and cannot be resumed',
    );
    expect(resumeTrial(trial(PAUSED), 'server').state).toBe(PENDING);
  });
});

it('a trial moves on by the next outer step only', () => {
  expect(() => advanceTrial(trial(RUNNING), { ...step, index: 2 })).toThrow(
    'studies/a/trials/0 has 0 outer steps, so that its next cannot be number 2',
  );
});

it('a reason that is a whole page of what a library says is cut', () => {
  const { stateReason } = endTrial(trial(RUNNING), { state: FAILED, reason: '😀'.repeat(5_000) }, now);
  expect([...stateReason]).toHaveLength(2_001);
  expect(stateReason.endsWith('😀…')).toBe(true);
});

describe('the time of a trial', () => {
  const next = { ...timed, index: 2, step: 100 };

  it('is summed over its outer steps, and its cost is that over as many plain steps as it has done', () => {
    const first = advanceTrial(trial(RUNNING), timed);
    expect(first.cost).toBeCloseTo(1, 12);
    const second = advanceTrial(first, {
      ...next,
      timing: { ...timed.timing, plain: undefined, plainSteps: 0 },
    });
    expect(second.timing).toMatchObject({ training: { nanos: 16_000_000 }, plainSteps: 25 });
    expect(second.cost).toBeCloseTo(1, 12);
  });

  it('is not known of a trial whose first outer steps were stored without', () => {
    const resumed = { ...trial(RUNNING), outerStepsDone: 1 };
    expect(advanceTrial(resumed, next)).toMatchObject({ timing: undefined, cost: 0 });
  });
});
