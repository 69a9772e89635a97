/** What the SQLite store keeps of trials whose client trains: the reports of the window that is open, and their outer loop. */

import type { DatabaseSync, StatementSync } from 'node:sqlite';

type Bytes = Uint8Array;

/** Runs inside the transactions of the engine; trials by their key in the table `trials`. */
export class SqliteReports {
  readonly #add: StatementSync;
  readonly #list: StatementSync;
  readonly #drop: StatementSync;
  readonly #getState: StatementSync;
  readonly #putState: StatementSync;

  /** @param db of the current schema. */
  constructor(db: DatabaseSync) {
    this.#add = db.prepare(
      `INSERT INTO reports (trial, number, record)
       SELECT ?1, ifnull(max(number), 0) + 1, ?2 FROM reports WHERE trial = ?1`,
    );
    this.#list = db.prepare('SELECT record FROM reports WHERE trial = ? ORDER BY number');
    this.#drop = db.prepare('DELETE FROM reports WHERE trial = ?');
    this.#getState = db.prepare('SELECT state FROM external_loops WHERE trial = ?');
    this.#putState = db.prepare('INSERT OR REPLACE INTO external_loops (trial, state) VALUES (?, ?)');
  }

  add(trial: number, report: Bytes): void {
    this.#add.run(trial, report);
  }

  /** In the order in which they came, with the state after the last outer step. */
  of(trial: number): { reports: Bytes[]; state: Bytes | undefined } {
    return {
      reports: this.#list.all(trial).map(({ record }) => record as Bytes),
      state: this.#getState.get(trial)?.state as Bytes | undefined,
    };
  }

  /** The window is decided: the next one starts from this state, without reports. */
  close(trial: number, state: Bytes): void {
    this.#drop.run(trial);
    this.#putState.run(trial, state);
  }
}
