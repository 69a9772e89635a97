/** What the states of studies and trials mean, and how they are called. */

import { type Study, StudyState, type Trial, TrialState } from '@glocal/proto/glocal/v1/study';

const ENDED: ReadonlySet<TrialState> = new Set([
  TrialState.SUCCEEDED,
  TrialState.FAILED,
  TrialState.INFEASIBLE,
  TrialState.CANCELLED,
]);

const STUDY_ENDED: ReadonlySet<StudyState> = new Set([
  StudyState.COMPLETED,
  StudyState.CANCELLED,
  StudyState.FAILED,
]);

/** Whether nothing more will happen to the trial by itself or by its study. */
export const hasEnded = ({ state }: Pick<Trial, 'state'>): boolean => ENDED.has(state);

/** Whether the trial trains, or will as soon as there is a worker for it. */
export const isLive = ({ state }: Pick<Trial, 'state'>): boolean =>
  state === TrialState.PENDING || state === TrialState.RUNNING;

export const studyHasEnded = ({ state }: Pick<Study, 'state'>): boolean => STUDY_ENDED.has(state);

/** As the contract calls it, for messages. */
export const studyStateName = (state: StudyState): string => nameOf(StudyState, state);
export const trialStateName = (state: TrialState): string => nameOf(TrialState, state);

function nameOf<State>(states: Record<string, State>, state: State): string {
  return Object.keys(states).find((name) => states[name] === state) ?? String(state);
}
