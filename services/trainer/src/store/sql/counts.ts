/** How many studies and trials a store has in each state. */

import { StudyState, TrialState } from '@glocal/proto/glocal/v1/study';
import { studyStateName, trialStateName } from '../../resource/states.ts';
import type { StateCounts } from '../store.ts';
import { query, type Row, type Steps } from './query.ts';

/** States that there are none of are counted, too: a figure that is missing is not 0. */
export function* countStates(): Steps<StateCounts> {
  const studies = yield query('SELECT state, count(*) AS n FROM studies GROUP BY state');
  const trials = yield query('SELECT state, count(*) AS n FROM trials GROUP BY state');
  return {
    studies: named(studies, StudyState, studyStateName),
    trials: named(trials, TrialState, trialStateName),
  };
}

function named<State extends number>(
  rows: readonly Row[],
  states: Readonly<Record<string, State>>,
  nameOf: (state: State) => string,
): Record<string, number> {
  const counts = new Map(rows.map(({ state, n }) => [Number(state), Number(n)]));
  const real = Object.values(states).filter((state) => state > 0);
  return Object.fromEntries(real.map((state) => [nameOf(state), counts.get(state) ?? 0]));
}
