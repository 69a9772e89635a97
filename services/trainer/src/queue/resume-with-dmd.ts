/** Trials that are PAUSED for the DMD service go on once it answers, those that an earlier server left among them. */

import type { DmdWatch } from '../dmd/info.ts';
import type { Store } from '../store/store.ts';
import { type ResumeParts, resumeWaiting } from './resume-waiting.ts';

/** A service that answers questions may yet be too busy for windows: its trials try again after a while. */
const TRY_AGAIN_MS = 30_000;

export interface DmdWaiters extends ResumeParts {
  readonly store: Pick<Store, 'listPausedTrials'>;
  readonly dmd: Pick<DmdWatch, 'status' | 'onChange'>;
}

/** Returns how to stop that. */
export function resumeWithDmd({ store, queue, dmd, log }: DmdWaiters): () => void {
  const resume = async () => {
    if (!dmd.status.reachable) return;
    await resumeWaiting({ queue, log }, await store.listPausedTrials('dmd'), 'dmd', 'DMD service');
  };
  // Whoever cannot be resumed now, as while the store cannot write, is asked for again.
  const attempt = () =>
    void resume().catch((error: unknown) =>
      log.warn({ err: error }, 'trials that wait for the DMD service could not be resumed'),
    );
  const stopListening = dmd.onChange(attempt);
  const timer = setInterval(attempt, TRY_AGAIN_MS).unref();
  attempt();
  return () => {
    stopListening();
    clearInterval(timer);
  };
}
