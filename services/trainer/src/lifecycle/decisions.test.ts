import { Decision, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import { describe, expect, it } from 'vitest';
import { awaitDecision, takeDecision } from './decisions.ts';

const { PENDING, RUNNING, SUCCEEDED, FAILED, INFEASIBLE, CANCELLED, PAUSED } = TrialState;
const trial = (state: TrialState, stateReason = '') =>
  Trial.fromPartial({ name: 'studies/a/trials/0', state, outerStepsDone: 2, stateReason });
const decision = (outerStep: number, outerRate?: number) =>
  Decision.fromPartial({ outerStep, action: { $case: 'accept', value: {} }, outerRate });

describe('a trial', () => {
  it('that runs waits for a decision about its next outer step, and about no other', () => {
    const waiting = awaitDecision(trial(RUNNING), decision(2), 3);
    expect(waiting.stateReason).toBe('waiting for a decision about outer step 3');
    expect(takeDecision(waiting, undefined, decision(3)).stateReason).toBe('');
    expect(() => awaitDecision(trial(RUNNING), undefined, 2)).toThrow(
      'outer step 3 of studies/a/trials/0 is open',
    );
    expect(() => awaitDecision(trial(RUNNING), decision(3), 3)).toThrow(
      'outer step 3 of studies/a/trials/0 has been decided',
    );
  });

  it.each([PENDING, SUCCEEDED, FAILED, INFEASIBLE, CANCELLED, PAUSED])(
    'in state %i does not wait for one',
    (state) => {
      expect(() => awaitDecision(trial(state), undefined, 3)).toThrow(/cannot wait for a decision/);
    },
  );

  it.each([PENDING, RUNNING])('in state %i takes a decision about its next outer step', (state) => {
    const before = trial(state, 'its process died');
    expect(takeDecision(before, decision(2, 0.5), decision(3))).toEqual(before);
    expect(() => takeDecision(before, undefined, decision(2))).toThrow(
      'outer step 3 of studies/a/trials/0 is open, and there is nothing to decide about outer step 2',
    );
  });

  it.each([SUCCEEDED, FAILED, INFEASIBLE, CANCELLED, PAUSED])('in state %i takes none', (state) => {
    expect(() => takeDecision(trial(state), undefined, decision(3))).toThrow(/there is nothing to decide/);
  });

  it('takes the same decision again, and no other', () => {
    expect(takeDecision(trial(RUNNING), decision(3, 0.5), decision(3, 0.5))).toEqual(trial(RUNNING));
    expect(() => takeDecision(trial(RUNNING), decision(3, 0.5), decision(3))).toThrow(
      'outer step 3 of studies/a/trials/0 has been decided otherwise',
    );
  });
});
