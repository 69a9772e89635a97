/** Which studies that have ended are kept, and for how long: the others are deleted now and then. */

import type { Logger } from 'pino';
import { NotFoundError, StateError } from '../resource/errors.ts';
import type { Store } from '../store/store.ts';
import { type RemovalParts, removeStudy } from './remove-study.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
const EVERY_MS = 10 * 60 * 1_000;
/** Studies that are looked up at a time. */
const AT_A_TIME = 100;

export interface RetentionRules {
  /** Studies that ended last and are kept; undefined for all. */
  readonly keepStudies: number | undefined;
  /** Days for which a study is kept once it has ended; undefined for ever. */
  readonly keepDays: number | undefined;
}

export interface RetentionParts extends RemovalParts {
  readonly store: Pick<Store, 'deleteStudy' | 'listExpired'>;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

/** Deletes what need not be kept, the study that ended first before the others; tells how many these were. */
export async function removeExpired(
  parts: RetentionParts,
  { keepStudies, keepDays }: RetentionRules,
  now: Date,
): Promise<number> {
  const endedBefore = keepDays === undefined ? undefined : new Date(now.getTime() - keepDays * DAY_MS);
  let removed = 0;
  for (;;) {
    const expired = await parts.store.listExpired({ keep: keepStudies, endedBefore, limit: AT_A_TIME });
    if (expired.length === 0) return removed;
    for (const name of expired) {
      try {
        await removeStudy(parts, name);
        removed += 1;
      } catch (error) {
        // A caller has deleted it or taken it up again meanwhile.
        if (!(error instanceof NotFoundError || error instanceof StateError)) throw error;
      }
    }
  }
}

/** Deletes now and every ten minutes, until it is disposed of. */
export function keepDeleting(parts: RetentionParts, rules: RetentionRules): Disposable {
  const look = () =>
    removeExpired(parts, rules, new Date()).then(
      (removed) => removed > 0 && parts.log.info({ removed }, 'studies that need not be kept were deleted'),
      (error: unknown) => parts.log.warn({ err: error }, 'studies that need not be kept were not deleted'),
    );
  if (rules.keepStudies === undefined && rules.keepDays === undefined) return { [Symbol.dispose]: () => {} };
  void look();
  const timer = setInterval(() => void look(), EVERY_MS).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
