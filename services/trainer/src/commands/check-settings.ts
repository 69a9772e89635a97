/** Whether a server would come up with these settings: each thing that it needs, tried without changing anything. */

import { constants } from 'node:fs';
import { access, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { execa } from 'execa';
import { pino } from 'pino';
import { chooseBackend } from '../backend/select.ts';
import { isDatabase, shownStore } from '../config/database.ts';
import { keyOf, type SettingName, type Settings, settings } from '../config/settings.ts';
import type { DmdConnection } from '../dmd/connection.ts';
import { DmdWatch } from '../dmd/info.ts';
import { describeLocation, type ObjectsLocation } from '../objects/location.ts';
import { openObjects } from '../objects/open.ts';
import { environmentFor } from '../process/environment.ts';
import { openSecurity } from '../security/security.ts';
import { fileOf } from '../store/open.ts';
import { checkDatabase } from '../store/postgres/store.ts';
import { tracingSettings } from '../tracing/variables.ts';
import { CommandError } from './exit.ts';

/** Settings as they were read. */
export interface ReadSettings extends Settings {
  readonly dmd: DmdConnection | undefined;
  readonly objectsLocation: ObjectsLocation | undefined;
  /** Where each comes from. */
  readonly sources: Readonly<Record<SettingName, string>>;
}

/**
 * Prints the settings and where they come from, and what was found.
 * @throws ConfigError when a file that a setting names, or a variable of OpenTelemetry, is wrong; CommandError when something is not there.
 */
export async function checkSettings(config: ReadSettings): Promise<void> {
  for (const [name] of settings()) {
    const value = name === 'store' ? shownStore(config.store) : config[name];
    if (value !== undefined) print(`${keyOf(name)} = ${value}`, config.sources[name]);
  }
  const quiet = pino({ level: 'silent' });
  (await openSecurity(config, quiet))[Symbol.dispose]();
  print('files of TLS and tokens', 'can be used');
  print('OpenTelemetry spans', tracingSettings(process.env) === undefined ? 'not exported' : 'exported');
  const found = [
    await tried('backend', async () => chooseBackend(config.backend).description),
    await tried('store', () => storeIsWritable(config)),
    await tried('DMD service', () => dmdAnswers(config)),
    await tried('checkpoints and uploads', () => objectsAnswer(config.objectsLocation)),
    ...(config.modelDir === undefined ? [] : [await tried('models', () => readable(config.modelDir ?? ''))]),
  ];
  const wrong = found.filter((problem) => problem !== undefined);
  if (wrong.length > 0) throw new CommandError(wrong.join('; '));
}

/** Prints what a trial came to; what is wrong, if anything is. */
async function tried(what: string, attempt: () => Promise<string>): Promise<string | undefined> {
  try {
    print(what, await attempt());
    return undefined;
  } catch (error) {
    return `${what}: ${(error as Error).message.split('\n')[0]}`;
  }
}

const print = (what: string, how: string): void => void process.stdout.write(`${what} (${how})\n`);

/** Nothing is made: a server that finds no file makes one. */
async function storeIsWritable({
  store,
  storePasswordFile: passwordFile,
  storeStatementSeconds,
}: Settings): Promise<string> {
  if (isDatabase(store)) {
    return checkDatabase(store, { passwordFile, sessions: 1, statementMs: storeStatementSeconds * 1_000 });
  }
  const file = fileOf(store);
  if (file === undefined) return 'in memory';
  const path = resolve(file);
  if (await exists(path)) {
    await access(path, constants.R_OK | constants.W_OK);
    await using opened = await open(path);
    const { buffer, bytesRead } = await opened.read(Buffer.alloc(15), 0, 15, 0);
    if (bytesRead > 0 && buffer.toString('latin1') !== 'SQLite format 3') {
      throw new Error(`${path} is no SQLite file`);
    }
    return `${path} can be written`;
  }
  let folder = dirname(path);
  while (!(await exists(folder))) folder = dirname(folder);
  await access(folder, constants.W_OK);
  return `${path} can be made`;
}

async function dmdAnswers({ dmd, dmdBinary }: ReadSettings): Promise<string> {
  if (dmd === undefined) {
    const { stdout } = await execa(dmdBinary, ['--version'], {
      env: environmentFor('dmd'),
      extendEnv: false,
      timeout: 10_000,
    });
    return `${dmdBinary} is ${stdout}`;
  }
  const watch = await DmdWatch.start(dmd, pino({ level: 'silent' }));
  watch.close();
  const { reachable, version, reason } = watch.status;
  if (!reachable) throw new Error(`${dmd.address} ${reason}`);
  return `${dmd.address} answers, version ${version}`;
}

/** A folder is not made: a server makes one. */
async function objectsAnswer(location: ObjectsLocation | undefined): Promise<string> {
  if (location === undefined) return 'beside the store';
  if (location.kind === 'database') return 'in the database';
  if (location.kind === 'folder') return readable(location.path);
  const objects = await openObjects(location);
  try {
    await objects.check();
    return `${describeLocation(location)} answers`;
  } finally {
    objects.close();
  }
}

async function readable(folder: string): Promise<string> {
  await access(folder, constants.R_OK | constants.X_OK);
  return `${folder} can be read`;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
