/** Trials that are PAUSED for a store of objects that could not be read go on once it can be, those of earlier servers among them. */

import type { Logger } from 'pino';
import type { ObjectStore } from '../objects/store.ts';
import { studyOf } from '../resource/names.ts';
import type { Store } from '../store/store.ts';
import type { TrialQueue } from './queue.ts';

const LOOK_EVERY_MS = 10_000;

export interface ObjectWaiters {
  readonly store: Pick<Store, 'listPausedTrials'>;
  readonly queue: Pick<TrialQueue, 'resumeTrial'>;
  readonly objects: Pick<ObjectStore, 'check'>;
  readonly log: Pick<Logger, 'info' | 'warn'>;
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
  if (!answers) return;
  for (const trial of waiting) {
    if (await queue.resumeTrial(trial, 'machine', 'server')) {
      log.info({ study: studyOf(trial), trial }, 'a trial goes on, as the object store answers');
    }
  }
}
