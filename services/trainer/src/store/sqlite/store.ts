/** The embedded store: one SQLite file through `node:sqlite`, for one server process at a time. */

import { SqlStore } from '../sql/store.ts';
import { connectHere, connectThread } from './connection.ts';
import { SqliteEngine } from './engine.ts';

export class SqliteStore extends SqlStore {
  /**
   * Opens or makes a file.
   * @param waitMs how long to wait for another server that has it open.
   * @throws StoreError when another server has it open, it is not a database, or a newer version wrote it.
   */
  static async open(path: string, waitMs = 0): Promise<SqliteStore> {
    return new SqliteStore(await connectThread({ path, waitMs }));
  }

  /** A store that ends with this process. */
  static inMemory(): SqliteStore {
    return new SqliteStore(connectHere(new SqliteEngine(':memory:')));
  }
}
