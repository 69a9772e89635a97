/** How many studies there may be, and how many there are. */

import { ActiveStudiesError, OwnerActiveStudiesError } from '../errors.ts';
import type { NewStudy } from '../store.ts';
import { lock, query, type Row, type Steps } from './query.ts';

/** How many studies may be ACTIVE. */
export type ActiveLimits = Pick<NewStudy, 'maxActiveStudies' | 'maxOwnerActiveStudies'>;

/** How many studies there are: in every state, ACTIVE, and ACTIVE of one owner. */
export interface Counts {
  readonly kept: number;
  readonly active: number;
  readonly own: number;
}

/**
 * One transaction at a time makes studies or lets them go on, up to its commit: their limits are exact, whatever the
 * number of servers, and two requests with the same id make one study. The number is only ours by agreement.
 */
export const lockLimits = () => lock('SELECT pg_advisory_xact_lock(7129060411)');

/** Columns of {@link Counts}, with the owner as their value. */
export const COUNTS = `(SELECT n FROM counts WHERE what = 'studies') AS kept,
  (SELECT n FROM counts WHERE what = 'active studies') AS active,
  (SELECT active_studies.n FROM active_studies WHERE active_studies.owner = ?) AS own`;

export function* countsFor(owner: string): Steps<Counts> {
  const [row] = yield query(`SELECT ${COUNTS}`, owner);
  return countsIn(row);
}

export const countsIn = (row: Row | undefined): Counts => ({
  kept: Number(row?.kept ?? 0),
  active: Number(row?.active ?? 0),
  own: Number(row?.own ?? 0),
});

/** @throws ActiveStudiesError, OwnerActiveStudiesError */
export function expectRoomForActive(
  { active, own }: Counts,
  { maxActiveStudies, maxOwnerActiveStudies = Number.POSITIVE_INFINITY }: ActiveLimits,
): void {
  if (active >= maxActiveStudies) {
    throw new ActiveStudiesError(
      `${active} studies are active, as many as this server allows; wait or cancel one`,
    );
  }
  if (own >= maxOwnerActiveStudies) {
    throw new OwnerActiveStudiesError(
      `${own} of your studies are active, as many as this server allows one owner; wait or cancel one`,
    );
  }
}
