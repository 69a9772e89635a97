/** How many studies and trials the SQLite store has in each state. */

import { StudyState, TrialState } from '@glocal/proto/glocal/v1/study';
import { studyStateName, trialStateName } from '../resource/states.ts';
import type { SqliteRecords } from './sqlite-records.ts';
import type { StateCounts } from './store.ts';

/** States that there are none of are counted, too: a figure that is missing is not 0. */
export function countStates(records: SqliteRecords): StateCounts {
  const count = (table: 'studies' | 'trials') =>
    new Map(
      records
        .all(`SELECT state, count(*) AS n FROM ${table} GROUP BY state`)
        .map(({ state, n }) => [Number(state), Number(n)]),
    );
  return {
    studies: named(count('studies'), StudyState, studyStateName),
    trials: named(count('trials'), TrialState, trialStateName),
  };
}

function named<State extends number>(
  counts: ReadonlyMap<number, number>,
  states: Readonly<Record<string, State>>,
  nameOf: (state: State) => string,
): Record<string, number> {
  const real = Object.values(states).filter((state) => state > 0);
  return Object.fromEntries(real.map((state) => [nameOf(state), counts.get(state) ?? 0]));
}
