/** Writes that wait for a store that cannot write. */

import { StoreUnavailableError } from './errors.ts';
import type { StoreHealth } from './health.ts';

/** Repeats a write that the store cannot make until it can, or until it is no longer to be waited for. */
export async function untilStored<T>(
  health: StoreHealth,
  write: () => Promise<T>,
  stop: AbortSignal,
): Promise<T> {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || stop.aborted) throw error;
      await health.whenWritable(stop);
    }
  }
}
