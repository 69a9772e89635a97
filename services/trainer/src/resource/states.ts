/** What the states of trials mean. */

import { type Trial, TrialState } from '@glocal/proto/glocal/v1/study';

const ENDED: ReadonlySet<TrialState> = new Set([
  TrialState.SUCCEEDED,
  TrialState.FAILED,
  TrialState.INFEASIBLE,
  TrialState.CANCELLED,
]);

/** Whether nothing more will happen to the trial. */
export const hasEnded = ({ state }: Pick<Trial, 'state'>): boolean => ENDED.has(state);
