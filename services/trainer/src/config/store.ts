/** Which settings of the store go together, and where its files are. */

import { join, resolve } from 'node:path';
import envPaths from 'env-paths';
import { isDatabase, isExposed, parseDatabase } from './database.ts';
import { ConfigError } from './errors.ts';
import { flagOf, type Settings, waysTo } from './settings.ts';

/** @throws ConfigError naming the setting; it never has a password. */
export function checkStore({ store, storePasswordFile, storeDir, insecure }: Settings): void {
  if (!isDatabase(store)) {
    const given = Object.entries({ storePasswordFile, storeDir }).find(([, value]) => value !== undefined);
    if (given === undefined) return;
    throw new ConfigError(`${flagOf(given[0])}: is for a database; --store is none`);
  }
  const database = databaseOf(store);
  if (storePasswordFile !== undefined && database.password !== undefined) {
    throw new ConfigError(
      `${waysTo('storePasswordFile')}: the URL of --store has a password; give one of both`,
    );
  }
  if (isExposed(database) && !insecure) {
    throw new ConfigError(
      `${waysTo('store')}: ${database.host} is on another machine, and studies would travel where others could read them; ` +
        'say sslmode=verify-full in the URL (with sslrootcert=FILE for roots of your own), or --insecure if the network is yours',
    );
  }
}

/**
 * Where this machine has copies of a database's uploads, as the beginning of the name of their folder: those of another
 * database are elsewhere.
 */
export function filesBeside({ store, storeDir }: Pick<Settings, 'store' | 'storeDir'>): string {
  const { host, port, database } = parseDatabase(store);
  const name = [host, port, database].join('-').replaceAll(/[^\w.-]/g, '_');
  return storeDir === undefined
    ? join(envPaths('glocal', { suffix: '' }).data, 'databases', name)
    : join(resolve(storeDir), 'studies');
}

function databaseOf(store: string): ReturnType<typeof parseDatabase> {
  try {
    return parseDatabase(store);
  } catch (error) {
    throw new ConfigError(`${waysTo('store')}: ${(error as Error).message}`);
  }
}
