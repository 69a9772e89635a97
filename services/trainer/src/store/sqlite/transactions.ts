/** Writes of the SQLite store that are made durable together, and what the disk says when it refuses. */

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { StoreUnavailableError } from '../errors.ts';

/** What a write came to: its own result or its own error. */
export type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** Primary result codes of SQLite that say that a file could not be written for now. */
const UNAVAILABLE = new Map([
  [3, 'access was denied'],
  [5, 'the database is busy'],
  [8, 'the database is read-only'],
  [10, 'an input or output error'],
  [13, 'the disk is full'],
  [14, 'the file cannot be opened'],
]);

/** Bytes that a probe writes: about what an outer step with its window takes. */
const PROBE_BYTES = 256 * 1024;

export class SqliteTransactions {
  readonly #db: DatabaseSync;
  readonly #savepoint: StatementSync;
  readonly #release: StatementSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#savepoint = db.prepare('SAVEPOINT attempt');
    this.#release = db.prepare('RELEASE attempt');
  }

  /**
   * Makes writes durable together, each with its own outcome: one that is refused leaves the others as they are. When the
   * disk refuses all of them together, each is tried on its own.
   */
  commit(writes: readonly (() => unknown)[]): Outcome[] {
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      const outcomes = writes.map((write) => this.#attempt(write));
      this.#db.exec('COMMIT');
      return outcomes;
    } catch (error) {
      // SQLite may have rolled back already; what it says then must not hide what went wrong.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      if (writes.length > 1) return writes.flatMap((write) => this.commit([write]));
      return [{ error: asStoreError(error) }];
    }
  }

  #attempt(write: () => unknown): Outcome {
    this.#savepoint.run();
    try {
      const value = write();
      this.#release.run();
      return { value };
    } catch (error) {
      if (unavailable(error) !== undefined) throw error;
      this.#db.exec('ROLLBACK TO attempt; RELEASE attempt');
      return { error: asStoreError(error) };
    }
  }

  /**
   * Writes as much as an outer step may take, and takes it away again.
   * @throws StoreUnavailableError
   */
  probe(): void {
    try {
      this.#db.exec(`
        CREATE TABLE IF NOT EXISTS probe (filler BLOB);
        INSERT INTO probe VALUES (randomblob(${PROBE_BYTES}));
        DROP TABLE probe;
      `);
    } catch (error) {
      throw asStoreError(error);
    }
  }
}

/** Why the disk refused, or undefined when the error is about something else. */
function unavailable(error: unknown): string | undefined {
  const { errcode } = error as { errcode?: number };
  // The primary code is in the lower byte of an extended one.
  return errcode === undefined ? undefined : UNAVAILABLE.get(errcode & 0xff);
}

function asStoreError(error: unknown): unknown {
  const why = unavailable(error);
  if (why === undefined) return error;
  return new StoreUnavailableError(`the store cannot write: ${why}`, { cause: error });
}
