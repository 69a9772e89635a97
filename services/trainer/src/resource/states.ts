/** What the states of trials mean, and how states are called. */

import { StudyState, type Trial, TrialState } from '@glocal/proto/glocal/v1/study';

const ENDED: ReadonlySet<TrialState> = new Set([
  TrialState.SUCCEEDED,
  TrialState.FAILED,
  TrialState.INFEASIBLE,
  TrialState.CANCELLED,
]);

/** Whether nothing more will happen to the trial. */
export const hasEnded = ({ state }: Pick<Trial, 'state'>): boolean => ENDED.has(state);

/** As the contract calls it, for messages. */
export const studyStateName = (state: StudyState): string => nameOf(StudyState, state);
export const trialStateName = (state: TrialState): string => nameOf(TrialState, state);

function nameOf<State>(states: Record<string, State>, state: State): string {
  return Object.keys(states).find((name) => states[name] === state) ?? String(state);
}
