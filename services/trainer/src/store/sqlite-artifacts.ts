/** Artifacts in the SQLite store, in encoded records; which studies name them, so that none loses what it trains on. */

import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { NotFoundError, StateError } from '../resource/errors.ts';
import type { Page, PageRequest } from './store.ts';

type Row = Record<string, SQLInputValue>;
type Bytes = Uint8Array;

/** A new artifact in an encoded record. */
export interface EncodedArtifact {
  readonly name: string;
  readonly owner: string;
  readonly digest: Bytes;
  readonly size: bigint;
  readonly description: string;
  readonly record: Bytes;
}

/** Which artifacts to list. */
export type ArtifactPage = PageRequest<string> & { readonly owner: string | undefined };

/** Runs inside the transactions of the engine. */
export class SqliteArtifacts {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  create(artifact: EncodedArtifact): { record: Bytes; created: boolean } {
    const { name, owner, digest, size, description, record } = artifact;
    const before = this.#get('SELECT record FROM artifacts WHERE owner = ? AND digest = ?', owner, digest);
    if (before !== undefined) return { record: before.record as Bytes, created: false };
    this.#run(
      'INSERT INTO artifacts (name, owner, digest, size, description, record) VALUES (?, ?, ?, ?, ?, ?)',
      ...[name, owner, digest, size, description, record],
    );
    return { record, created: true };
  }

  get(name: string): { record: Bytes; description: string } | undefined {
    const row = this.#get(`SELECT record, description FROM artifacts WHERE name = ? AND ${IS_THERE}`, name);
    return row && { record: row.record as Bytes, description: String(row.description) };
  }

  list({
    owner = null,
    after = null,
    limit,
    maxBytes = Number.POSITIVE_INFINITY,
  }: NullablePage): Page<Bytes> {
    const rows = this.#statement(
      `SELECT record FROM artifacts WHERE ${IS_THERE} AND owner = ifnull(?, owner)
         AND id < ifnull((SELECT id FROM artifacts WHERE name = ?), 9e15) ORDER BY id DESC LIMIT ?`,
    );
    const records: Bytes[] = [];
    let bytes = 0;
    for (const row of rows.iterate(owner, after, limit + 1)) {
      const record = row.record as Bytes;
      bytes += record.length;
      if (records.length === limit || (records.length > 0 && bytes > maxBytes))
        return { records, more: true };
      records.push(record);
    }
    return { records, more: false };
  }

  bytesOf(owner: string): bigint {
    return BigInt(
      Number(this.#get('SELECT sum(size) AS bytes FROM artifacts WHERE owner = ?', owner)?.bytes),
    );
  }

  deletedOwner(name: string): string | undefined {
    const row = this.#get('SELECT owner FROM artifacts WHERE name = ? AND digest IS NULL', name);
    return row && String(row.owner);
  }

  /** @throws StateError */
  delete(name: string): void {
    const user = this.#get(
      `SELECT studies.name AS name FROM artifact_uses
         JOIN artifacts ON artifacts.id = artifact JOIN studies ON studies.id = study
       WHERE artifacts.name = ? AND EXISTS (SELECT 1 FROM trials WHERE study = studies.id AND finished = 0) LIMIT 1`,
      name,
    );
    if (user !== undefined) {
      throw new StateError(
        `${name} cannot be deleted: ${user.name}, which names it, has not ended; cancel it first`,
      );
    }
    this.#run('DELETE FROM artifact_uses WHERE artifact = (SELECT id FROM artifacts WHERE name = ?)', name);
    const forget = `UPDATE artifacts SET digest = NULL, size = 0, description = '', record = x'' WHERE name = ?`;
    this.#run(forget, name);
  }

  /**
   * From now on the study names these artifacts.
   * @throws NotFoundError for one that is not there.
   */
  use(study: number, artifacts: readonly string[]): void {
    for (const name of artifacts) {
      const row = this.#get(`SELECT id FROM artifacts WHERE name = ? AND ${IS_THERE}`, name);
      if (row === undefined) throw new NotFoundError(name);
      this.#run('INSERT INTO artifact_uses (artifact, study) VALUES (?, ?)', Number(row.id), study);
    }
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined;
  }

  #run(sql: string, ...values: SQLInputValue[]): void {
    this.#statement(sql).run(...values);
  }
}

/** Whether it was not deleted. */
const IS_THERE = 'digest IS NOT NULL';

/** As SQLite takes it. */
type NullablePage = Omit<ArtifactPage, 'owner' | 'after'> & {
  readonly owner?: string | null | undefined;
  readonly after?: string | null | undefined;
};
