/** Trials that are PAUSED for a store of objects that could not be read go on once it can be, those of earlier servers among them. */

import type { ObjectStore } from '../objects/store.ts';
import type { Store } from '../store/store.ts';
import { type ResumeParts, resumeWaiting } from './resume-waiting.ts';

const LOOK_EVERY_MS = 10_000;

export interface ObjectWaiters extends ResumeParts {
  readonly store: Pick<Store, 'listPausedTrials'>;
  readonly objects: Pick<ObjectStore, 'check'>;
}

/** Returns how to stop that. */
export function resumeWithObjects(parts: ObjectWaiters): () => void {
  // Whoever cannot be resumed now, as while the store cannot write, is asked for again.
  const look = () =>
    void resume(parts).catch((error: unknown) =>
      parts.log.warn({ err: error }, 'trials that wait for the object store could not be resumed'),
    );
  look();
  const timer = setInterval(look, LOOK_EVERY_MS).unref();
  return () => clearInterval(timer);
}

async function resume({ store, queue, objects, log }: ObjectWaiters): Promise<void> {
  const waiting = await store.listPausedTrials('machine');
  if (waiting.length === 0) return;
  // What it says is in the reasons of those that wait.
  const answers = await objects.check().then(
    () => true,
    () => false,
  );
  if (answers) await resumeWaiting({ queue, log }, waiting, 'machine', 'object store');
}
