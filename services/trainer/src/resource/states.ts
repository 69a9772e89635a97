/** What the states of studies and trials mean, and how they are called. */

import { type Study, StudyState, type Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import { enumName } from './enum-name.ts';

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
export const studyStateName = (state: StudyState): string => enumName(StudyState, state);
export const trialStateName = (state: TrialState): string => enumName(TrialState, state);
