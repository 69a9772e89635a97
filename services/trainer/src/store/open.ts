/** Opens a store by its URL. */

import { isDatabase, shownStore } from '../config/database.ts';
import { ConfigError } from '../config/errors.ts';
import { PostgresStore } from './postgres/store.ts';
import { SqliteStore } from './sqlite/store.ts';
import type { Store } from './store.ts';

/** What can be opened, for messages. */
const FORMS = 'sqlite:PATH, a path, postgres://USER@HOST:PORT/DATABASE, or memory:';

/**
 * The file of a store; undefined for one that is no file.
 * @throws ConfigError when there is no store of that scheme, or no path.
 */
export function fileOf(url: string): string | undefined {
  if (isDatabase(url)) return undefined;
  // A letter alone is a drive of Windows.
  const [, scheme, rest = ''] = url.match(/^([a-z][a-z0-9+.-]+):(.*)$/i) ?? [];
  switch (scheme?.toLowerCase()) {
    case undefined:
      return url;
    case 'sqlite':
      if (rest === '') throw new ConfigError(`store ${url}: names no file; it may be ${FORMS}`);
      return rest.replace(/^\/\/(?=\/)/, '');
    case 'memory':
      return undefined;
    default:
      throw new ConfigError(
        `store ${shownStore(url)}: there is no store with the scheme "${scheme}:"; it may be ${FORMS}`,
      );
  }
}

/** How a store is opened. */
export interface OpenOptions {
  /** How long to wait for another server that has a file open, or for a database that cannot be reached. */
  readonly waitMs?: number | undefined;
  /** Of a database: the file with our password. */
  readonly passwordFile?: string | undefined;
  /** Of a database: sessions at most. @default 10 */
  readonly sessions?: number | undefined;
  /** Of a database: for how long a statement may run. @default 60_000 */
  readonly statementMs?: number | undefined;
}

/**
 * @param url `sqlite:PATH` or a path for an SQLite file; `postgres://USER@HOST:PORT/DATABASE`; `memory:` for a store that
 *   ends with this process.
 * @throws ConfigError when there is no store of that scheme, and for the URL of a database; StoreError when it cannot be opened.
 */
export async function openStore(url: string, options: OpenOptions = {}): Promise<Store> {
  const { waitMs = 0, passwordFile, sessions = 10, statementMs = 60_000 } = options;
  if (isDatabase(url)) return PostgresStore.open(url, { passwordFile, sessions, statementMs }, waitMs);
  const file = fileOf(url);
  return file === undefined ? SqliteStore.inMemory() : SqliteStore.open(file, waitMs);
}
