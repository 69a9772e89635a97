/** Whose turn it is: first come, first served, but no study has more trials running than it asks for. */

import { studyOf } from '../resource/names.ts';

/** A trial that has been taken from the queue. */
export interface Taken {
  /** Resource name. */
  readonly trial: string;
  /** How many of its study may run at a time; undefined until its study is known. */
  readonly atATime: number | undefined;
}

/**
 * The first waiting trial whose study has room for it; undefined when there is none. A study of which nothing runs has room
 * for one; beyond that it has to be known how many it allows.
 */
export function nextTurn(waiting: Iterable<string>, taken: Iterable<Taken>): string | undefined {
  const studies = Map.groupBy(taken, ({ trial }) => studyOf(trial));
  for (const trial of waiting) {
    const others = studies.get(studyOf(trial)) ?? [];
    if (others.every(({ atATime }) => others.length < (atATime ?? 0))) return trial;
  }
  return undefined;
}
