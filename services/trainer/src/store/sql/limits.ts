/** How many studies there may be, and how many there are. */

import { type Study, StudyState } from '@glocal/proto/glocal/v1/study';
import { ActiveStudiesError, OwnerActiveStudiesError } from '../errors.ts';
import type { NewStudy } from '../store.ts';
import { lock, padded, placesFor, query, type Steps } from './query.ts';

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

/** How many studies there are, for some owners. */
export class StudyCounts {
  #kept: number;
  #active: number;
  readonly #own: Map<string, number>;

  constructor(kept: number, active: number, own: ReadonlyMap<string, number>) {
    this.#kept = kept;
    this.#active = active;
    this.#own = new Map(own);
  }

  of(owner: string): Counts {
    return { kept: this.#kept, active: this.#active, own: this.#own.get(owner) ?? 0 };
  }

  /** One more is made. */
  add({ owner, state }: Pick<Study, 'owner' | 'state'>): void {
    this.#kept += 1;
    if (state !== StudyState.ACTIVE) return;
    this.#active += 1;
    this.#own.set(owner, (this.#own.get(owner) ?? 0) + 1);
  }
}

/** One query, for which all that make studies wait. */
export function* countsOf(owners: readonly string[]): Steps<StudyCounts> {
  const rows = yield query(
    `SELECT what, '' AS owner, n FROM counts WHERE what IN ('studies', 'active studies')
     UNION ALL SELECT 'own', owner, n FROM active_studies WHERE owner IN (${placesFor(owners)})`,
    ...padded(owners),
  );
  const count = (what: string) => Number(rows.find((row) => row.what === what)?.n ?? 0);
  const own = rows
    .filter(({ what }) => what === 'own')
    .map((row) => [String(row.owner), Number(row.n)] as const);
  return new StudyCounts(count('studies'), count('active studies'), new Map(own));
}

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
