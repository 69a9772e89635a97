/** Opens a store by its URL. */

import { StoreError } from './errors.ts';
import { SqliteStore } from './sqlite/store.ts';
import type { Store } from './store.ts';

/** What can be opened, for messages. */
const FORMS = 'sqlite:PATH, a path, or memory:';

/**
 * The file of a store; undefined for one that ends with this process.
 * @throws StoreError when there is no store of that scheme, or no path.
 */
export function fileOf(url: string): string | undefined {
  // A letter alone is a drive of Windows.
  const [, scheme, rest = ''] = url.match(/^([a-z][a-z0-9+.-]+):(.*)$/i) ?? [];
  switch (scheme?.toLowerCase()) {
    case undefined:
      return url;
    case 'sqlite':
      if (rest === '') throw new StoreError(`store ${url}: names no file; it may be ${FORMS}`);
      return rest.replace(/^\/\/(?=\/)/, '');
    case 'memory':
      return undefined;
    default:
      throw new StoreError(
        `store ${url}: there is no store with the scheme "${scheme}:"; it may be ${FORMS}`,
      );
  }
}

/**
 * @param url `sqlite:PATH` or a path for an SQLite file; `memory:` for a store that ends with this process.
 * @param waitMs how long to wait for another server that has the file open.
 * @throws StoreError when there is no store of that scheme, or it cannot be opened.
 */
export async function openStore(url: string, waitMs = 0): Promise<Store> {
  const file = fileOf(url);
  return file === undefined ? SqliteStore.inMemory() : SqliteStore.open(file, waitMs);
}
