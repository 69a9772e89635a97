/** What changes a study: by a caller, or by what has become of its trials. Pure, as what changes a trial. */

import { type Study, StudyState, type Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import { StateError } from '../resource/errors.ts';
import { fallbackNote } from '../resource/fallbacks.ts';
import { hasEnded, isLive, studyHasEnded, studyStateName } from '../resource/states.ts';
import { type Actor, isAllowed, STUDY_TRANSITIONS, type StudyTransition } from './table.ts';

/** @throws StateError unless the study is ACTIVE. */
export function pauseStudy(study: Study, now: Date): Study {
  expectStudy(study, 'be paused', 'caller');
  return { ...study, state: StudyState.PAUSED, stateReason: 'paused by a caller', updateTime: now };
}

/** @throws StateError unless the study is PAUSED. */
export function resumeStudy(study: Study, by: Actor, now: Date): Study {
  expectStudy(study, 'be resumed', by);
  return { ...study, state: StudyState.ACTIVE, stateReason: 'resumed', updateTime: now };
}

/** A study that has ended goes on with trials that FAILED. @throws StateError unless it has ended. */
export function takeUpStudy(study: Study, now: Date): Study {
  expectStudy(study, 'be taken up again', 'caller');
  return { ...study, state: StudyState.ACTIVE, stateReason: 'trials are taken up again', updateTime: now };
}

/** @throws StateError when the study has ended. */
export function cancelStudy(study: Study, now: Date): Study {
  expectStudy(study, 'be cancelled', 'caller');
  return { ...study, state: StudyState.CANCELLED, stateReason: 'cancelled by a caller', updateTime: now };
}

/**
 * The study after something has happened to its trials: it has ended with the last of them, or is PAUSED when none of those
 * left can go on by itself. Undefined when it stays as it is.
 */
export function settleStudy(study: Study, trials: readonly Trial[], now: Date): Study | undefined {
  if (studyHasEnded(study) || trials.some(isLive)) return undefined;
  if (!trials.every(hasEnded)) return stalled(study, trials, now);
  expectStudy(study, 'end', 'worker');
  const succeeded = trials.filter(({ state }) => state === TrialState.SUCCEEDED).length;
  const sum = (count: (trial: Trial) => number) => trials.reduce((total, trial) => total + count(trial), 0);
  const fallbacks = fallbackNote(
    sum(({ fallbackWindows }) => fallbackWindows),
    sum(({ outerStepsDone }) => outerStepsDone),
  );
  return {
    ...study,
    state: succeeded > 0 ? StudyState.COMPLETED : StudyState.FAILED,
    stateReason: `${succeeded} of ${trials.length} trials succeeded${fallbacks}`,
    updateTime: now,
  };
}

function stalled(study: Study, trials: readonly Trial[], now: Date): Study | undefined {
  if (study.state === StudyState.PAUSED) return undefined;
  expectStudy(study, 'stall', 'worker');
  const paused = trials.filter(({ state }) => state === TrialState.PAUSED);
  const stateReason = `${paused.length} of ${trials.length} trials are paused, and no other is left: ${paused[0]?.stateReason}`;
  return { ...study, state: StudyState.PAUSED, stateReason, updateTime: now };
}

function expectStudy({ name, state }: Study, what: StudyTransition, by: Actor): void {
  if (!isAllowed(STUDY_TRANSITIONS[what], state, by)) {
    throw new StateError(`${name} is ${studyStateName(state)} and cannot ${what}`);
  }
}
