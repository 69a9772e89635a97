/** Waits for a store of objects that is away. */

import { setTimeout as sleep } from 'node:timers/promises';
import { ObjectStoreError } from './errors.ts';

const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 5_000;

/** Asks again, with growing pauses, until the store is not away, or until nobody waits for it any more. */
export async function untilThere<T>(ask: () => Promise<T>, stop: AbortSignal): Promise<T> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LAST_PAUSE_MS)) {
    try {
      return await ask();
    } catch (error) {
      const isAway = error instanceof ObjectStoreError && error.failure === 'away';
      if (!isAway || stop.aborted) throw error;
      await sleep(pauseMs, undefined, { signal: stop, ref: false }).catch(() => {});
    }
  }
}
