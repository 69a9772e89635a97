import { OuterStep, Study, StudyState, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import type { StudyEvent } from '@glocal/proto/glocal/v1/study_service';
import { describe, expect, it } from 'vitest';
import { checkHistory } from './history.ts';

const TRIAL = 'studies/a/trials/0';
type Told = NonNullable<StudyEvent['event']>;

const study = (state: StudyState) => Study.fromPartial({ name: 'studies/a', state });
const trial = (state: TrialState, attempts: number, outerStepsDone = 0) =>
  Trial.fromPartial({ name: TRIAL, state, attempts, outerStepsDone });
const tellStudy = (state: StudyState): Told => ({ $case: 'study', value: study(state) });
const tellTrial = (...args: Parameters<typeof trial>): Told => ({ $case: 'trial', value: trial(...args) });
const tellStep = (index: number): Told => ({
  $case: 'outerStep',
  value: OuterStep.fromPartial({ name: `${TRIAL}/outerSteps/${index}`, index }),
});
const numbered = (told: readonly Told[]): StudyEvent[] =>
  told.map((event, i) => ({ cursor: String(i + 1), time: undefined, event }));

const { ACTIVE, PAUSED, COMPLETED, FAILED } = StudyState;

/** A study that was paused, interrupted and ended. */
const LEGAL: readonly Told[] = [
  tellStudy(ACTIVE),
  tellTrial(TrialState.RUNNING, 1),
  tellTrial(TrialState.RUNNING, 1),
  tellStep(1),
  tellStudy(PAUSED),
  tellStep(2),
  tellTrial(TrialState.PAUSED, 1, 2),
  tellStudy(ACTIVE),
  tellTrial(TrialState.PENDING, 1, 2),
  tellTrial(TrialState.RUNNING, 2, 2),
  tellTrial(TrialState.PENDING, 2, 2),
  tellTrial(TrialState.RUNNING, 3, 2),
  tellStep(3),
  tellTrial(TrialState.SUCCEEDED, 3, 3),
  tellStudy(COMPLETED),
];
const now = { study: study(COMPLETED), trials: [trial(TrialState.SUCCEEDED, 3, 3)] };
const check = (told: readonly Told[]) => checkHistory({ events: numbered(told), ...now });

/** The legal history with one event replaced, left out or added. */
const changed = (at: number, remove: number, ...added: Told[]) =>
  check(LEGAL.toSpliced(at, remove, ...added));

describe('the history of a study', () => {
  it('is fine when all of it can have happened', () => {
    expect(check(LEGAL)).toEqual([]);
  });

  it('names outer steps that are doubled, missing, or come while nobody trains', () => {
    expect(changed(4, 0, tellStep(1))).toContain(`event 5 tells outer step 1 of ${TRIAL} a second time`);
    expect(changed(5, 1)).toContain(`event 6 says that ${TRIAL} has 2 outer steps, and 1 were told`);
    expect(changed(12, 1, tellStep(4))).toContain(
      `event 13 tells outer step 4 of ${TRIAL}, and 3 is missing`,
    );
    expect(changed(9, 0, tellStep(3))).toContain(`event 10 is outer step 3 of ${TRIAL}, which is PENDING`);
  });

  it('names transitions that the table does not have', () => {
    expect(changed(8, 2, tellTrial(TrialState.RUNNING, 2, 2))).toContain(
      `event 9 takes ${TRIAL} from PAUSED to RUNNING`,
    );
    expect(changed(4, 0, tellStudy(FAILED))).toContain('event 6 takes studies/a from FAILED to PAUSED');
    expect(changed(0, 1, tellStudy(PAUSED))).toContain('event 1 creates studies/a as PAUSED');
  });

  it('names attempts that nobody began, and events that are out of order', () => {
    expect(changed(11, 1, tellTrial(TrialState.RUNNING, 5, 2))).toContain(
      `event 12 counts 5 attempts of ${TRIAL} after 2`,
    );
    expect(checkHistory({ events: numbered(LEGAL).toSpliced(3, 1), ...now })).toContain(
      'event 5 is not number 4',
    );
  });

  it('names records that are not what was told last', () => {
    expect(check(LEGAL.slice(0, -1))).toEqual(['studies/a is COMPLETED and was told to be ACTIVE']);
    expect(check(LEGAL.slice(0, 13))).toContain(`${TRIAL} is SUCCEEDED and was told to be RUNNING`);
  });

  it.each([
    [COMPLETED, TrialState.RUNNING, 'studies/a is COMPLETED, and trials of it have not ended'],
    [COMPLETED, TrialState.FAILED, 'studies/a is COMPLETED, and no trial SUCCEEDED'],
    [FAILED, TrialState.SUCCEEDED, 'studies/a is FAILED, and a trial SUCCEEDED'],
    [ACTIVE, TrialState.CANCELLED, 'studies/a is ACTIVE, and every trial has ended'],
    [PAUSED, TrialState.PENDING, 'studies/a is PAUSED, and a trial is PENDING'],
  ])('names states of study and trial that do not go together: %i and %i', (state, trialState, problem) => {
    const told = { study: study(state), trials: [trial(trialState, 3, 3)] };
    expect(checkHistory({ events: numbered(LEGAL), ...told })).toContain(problem);
  });
});
