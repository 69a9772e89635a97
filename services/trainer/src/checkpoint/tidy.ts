/** Removes the checkpoints that nothing will go on from. */

import { TrialState } from '@glocal/proto/glocal/v1/study';
import type { Logger } from 'pino';
import { studyOf } from '../resource/names.ts';
import { hasEnded } from '../resource/states.ts';
import type { Store } from '../store/store.ts';
import type { CheckpointRoot } from './kept.ts';

/** Those of a trial that has ended or is gone. One that FAILED keeps its own, so that it can be looked into. */
export async function discardUnlessNeeded(
  store: Pick<Store, 'getTrial'>,
  checkpoints: CheckpointRoot,
  name: string,
  log: Logger,
): Promise<void> {
  try {
    const trial = await store.getTrial(name);
    const isNeeded = trial !== undefined && (!hasEnded(trial) || trial.state === TrialState.FAILED);
    if (!isNeeded) await checkpoints.discard(name);
  } catch (error) {
    log.warn({ err: error, study: studyOf(name), trial: name }, 'its checkpoints could not be removed');
  }
}

/**
 * Those that an earlier server had no time to remove, or a training process wrote that had lost its trial.
 * @param unknownBefore of trials that the store does not know, those of which nothing was written since; others may be of
 *   studies that are being made.
 */
export async function discardLeftOver(
  store: Pick<Store, 'getTrial'>,
  checkpoints: CheckpointRoot,
  log: Logger,
  unknownBefore: Date,
): Promise<void> {
  try {
    for (const [trial, modified] of await checkpoints.trials()) {
      const isNew = modified >= unknownBefore && (await store.getTrial(trial)) === undefined;
      if (!isNew) await discardUnlessNeeded(store, checkpoints, trial, log);
    }
    await checkpoints.objects.discardIncomplete('', new Date(Date.now() - UNFINISHED_MS));
  } catch (error) {
    log.warn({ err: error }, 'old checkpoints could not be looked for');
  }
}

/** An upload in parts that has not come to its end by then never will. */
const UNFINISHED_MS = 24 * 60 * 60 * 1_000;
