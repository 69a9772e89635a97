/** Removes a study that has ended, with all that lies about of it. */

import type { Logger } from 'pino';
import type { CheckpointRoot } from '../checkpoint/kept.ts';
import type { EventHub } from '../events/hub.ts';
import type { Store } from '../store/store.ts';

export interface RemovalParts {
  readonly store: Pick<Store, 'deleteStudy'>;
  readonly hub: EventHub;
  readonly checkpoints: CheckpointRoot;
  readonly log: Pick<Logger, 'warn'>;
}

/**
 * Its watchers are told that it is gone. Checkpoints that cannot be removed now are when the server starts next.
 * @throws NotFoundError, StateError when it has not ended.
 */
export async function removeStudy(
  { store, hub, checkpoints, log }: RemovalParts,
  name: string,
): Promise<void> {
  await store.deleteStudy(name);
  hub.removed(name);
  try {
    await checkpoints.discardStudy(name);
  } catch (error) {
    log.warn({ err: error, study: name }, 'its checkpoints could not be removed');
  }
}
