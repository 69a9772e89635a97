/** Where checkpoints and uploads are kept. */

import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ArtifactRoot } from './artifact/folder.ts';
import { CheckpointRoot } from './checkpoint/kept.ts';
import { isDatabase, parseDatabase } from './config/database.ts';
import { filesBeside } from './config/store.ts';
import type { Config } from './config.ts';
import { type ObjectsLocation, within } from './objects/location.ts';
import { openObjects } from './objects/open.ts';
import { fileOf } from './store/open.ts';

/** Beside the store or in it, or where the settings say. @throws ObjectStoreError */
export async function openPlaces(
  config: Config,
  cleanUp: AsyncDisposableStack,
): Promise<{ checkpoints: CheckpointRoot; artifacts: ArtifactRoot }> {
  const { objectsLocation: elsewhere } = config;
  const database = isDatabase(config.store)
    ? { database: parseDatabase(config.store), ...sessionsOf(config) }
    : undefined;
  const file = isDatabase(config.store) ? filesBeside(config) : fileOf(config.store);
  const beside = async (what: string) =>
    file === undefined
      ? cleanUp.use(await mkdtempDisposable(join(tmpdir(), `glocal-${what}-`))).path
      : `${resolve(file)}.${what}`;
  const open = async (location: ObjectsLocation) => {
    const objects = await openObjects(location, database);
    cleanUp.defer(() => objects.close());
    if (elsewhere) await objects.check();
    return objects;
  };
  const checkpoints = elsewhere
    ? within(elsewhere, 'checkpoints')
    : ({ kind: 'folder', path: await beside('checkpoints') } as const);
  return {
    checkpoints: new CheckpointRoot(await open(checkpoints)),
    artifacts: new ArtifactRoot(
      await beside('artifacts'),
      elsewhere && (await open(within(elsewhere, 'artifacts'))),
    ),
  };
}

/** Of a database. */
export const sessionsOf = (config: Config) => ({
  passwordFile: config.storePasswordFile,
  sessions: config.storeConnections,
  statementMs: config.storeStatementSeconds * 1_000,
});
