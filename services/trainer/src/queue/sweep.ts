/**
 * Removes checkpoints and files of artifacts that nothing needs: at the start, and from time to time, since several servers
 * may use the same store of objects, and a training process may write after it has lost its trial.
 */

import type { Logger } from 'pino';
import type { ArtifactRoot } from '../artifact/folder.ts';
import type { CheckpointRoot } from '../checkpoint/kept.ts';
import { discardLeftOver } from '../checkpoint/tidy.ts';
import type { Store } from '../store/store.ts';

const EVERY_MS = 60 * 60 * 1_000;
/** What nobody knows is left alone for so long: another server may be about to store what it belongs to. */
const UNKNOWN_FOR_MS = 60 * 60 * 1_000;

export interface SweepParts {
  readonly store: Pick<Store, 'getTrial' | 'getArtifact'>;
  readonly checkpoints: CheckpointRoot;
  readonly artifacts: ArtifactRoot;
  readonly log: Logger;
}

/** @param unknownForMs 0 where nobody else uses the same store. */
export async function sweep(
  { store, checkpoints, artifacts, log }: SweepParts,
  unknownForMs = UNKNOWN_FOR_MS,
): Promise<void> {
  const unknownBefore = new Date(Date.now() - unknownForMs);
  await discardLeftOver(store, checkpoints, log, unknownBefore);
  const isKnown = async (name: string) => (await store.getArtifact(name)) !== undefined;
  await artifacts
    .discardUnknown(isKnown, unknownBefore)
    .catch((error: unknown) => log.warn({ err: error }, 'old files of artifacts could not be looked for'));
}

/** Sweeps now and every hour, until it is disposed of. */
export function keepSweeping(parts: SweepParts): Disposable {
  void sweep(parts);
  const timer = setInterval(() => void sweep(parts), EVERY_MS).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
