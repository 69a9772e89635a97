/**
 * An SQLite database that transactions run in without waiting: synchronous. It runs where nobody minds that a commit
 * takes its time (`thread.ts`).
 */

import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { StoreError } from '../errors.ts';
import { type Arguments, METHODS, type Method, type Result } from '../sql/methods.ts';
import type { Row, Steps } from '../sql/query.ts';
import { migrate } from './migrations.ts';
import { type Outcome, SqliteTransactions } from './transactions.ts';

const NO_ROWS: Row[] = [];

export class SqliteEngine {
  readonly #db: DatabaseSync;
  readonly #transactions: SqliteTransactions;
  readonly #statements = new Map<string, StatementSync>();

  /**
   * Opens or makes the file.
   * @param path of the file, or `:memory:`.
   * @param waitMs how long to wait for another server that has it open.
   * @throws StoreError when another server has it open, it is not a database, or a newer version wrote it.
   */
  constructor(path: string, waitMs = 0) {
    try {
      if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
      this.#db = new DatabaseSync(path, { timeout: waitMs });
      this.#db.exec(`
        PRAGMA locking_mode = EXCLUSIVE;
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = FULL;
        PRAGMA foreign_keys = ON;
      `);
      // The clock that leases end by.
      this.#db.function('now_ms', () => BigInt(Date.now()));
      migrate(this.#db);
      this.#transactions = new SqliteTransactions(this.#db);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const hint = why.includes('locked')
        ? 'another server has it open; stop that one or choose another file'
        : why;
      throw new StoreError(`store ${path}: ${hint}`, { cause: error });
    }
  }

  close(): void {
    this.#db.close();
  }

  /** @see SqliteTransactions.commit */
  commit(writes: readonly (() => unknown)[]): Outcome[] {
    return this.#transactions.commit(writes);
  }

  /** @throws StoreUnavailableError */
  probe(): void {
    this.#transactions.probe();
  }

  /** What a method comes to, outside of a transaction or within the one of {@link commit}. */
  call<M extends Method>(method: M, ...args: Arguments<M>): Result<M> {
    const run = METHODS[method] as (...args: Arguments<M>) => Steps<Result<M>>;
    return this.#run(run(...args));
  }

  #run<T>(steps: Steps<T>): T {
    let next = steps.next();
    while (next.done !== true) {
      const { sql, values, kind } = next.value;
      next = steps.next(kind === 'lock' ? NO_ROWS : (this.#statement(sql).all(...values) as Row[]));
    }
    return next.value;
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
