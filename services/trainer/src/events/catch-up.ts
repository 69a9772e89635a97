/**
 * The safety net under notices between processes: asks the store now and then whether what is watched here has changed, so
 * that a lost notice delays and never loses.
 */

import type { Logger } from 'pino';
import { StoreUnavailableError } from '../store/errors.ts';
import type { Store } from '../store/store.ts';
import type { EventHub } from './hub.ts';

const EVERY_MS = 3_000;

export interface CatchUpParts {
  readonly store: Pick<Store, 'lastSequences'>;
  readonly hub: EventHub;
  readonly log: Pick<Logger, 'warn'>;
}

/** Asks until it is disposed of; nothing is asked while nobody watches. */
export function keepCatchingUp({ store, hub, log }: CatchUpParts, everyMs = EVERY_MS): Disposable {
  /** Of the studies that were watched when the store was asked last. */
  let known: ReadonlyMap<string, number> = new Map();
  let timer: NodeJS.Timeout;
  let isOver = false;

  const ask = async (): Promise<void> => {
    const watched = hub.watched;
    if (watched.length === 0) {
      known = new Map();
      return;
    }
    const found = await store.lastSequences(watched);
    for (const study of watched) {
      const last = found.get(study);
      if (last === undefined) hub.missed(study, 'removed');
      else if (last !== known.get(study)) hub.missed(study, 'changed');
    }
    known = found;
  };
  const askLater = (): void => {
    if (isOver) return;
    timer = setTimeout(() => {
      ask()
        .catch((error: unknown) => {
          // Whoever depends on the store says so by itself.
          if (error instanceof StoreUnavailableError) return;
          log.warn({ err: error }, 'it could not be looked whether something was missed');
        })
        .finally(askLater);
    }, everyMs).unref();
  };
  askLater();
  return {
    [Symbol.dispose]: () => {
      isOver = true;
      clearTimeout(timer);
    },
  };
}
