/**
 * Objects in the database that is the store of studies, for small ones: what a fleet has in any case. Each is one row.
 *
 * Its sessions are its own, so that no outer step waits for a large object; they end when they are not used for ten seconds.
 */

import { createHash } from 'node:crypto';
import { open, readFile, stat } from 'node:fs/promises';
import type { Pool, QueryResult, QueryResultRow } from 'pg';
import { type Database, placeOf } from '../config/database.ts';
import { reasonOf, sqlState, unavailable } from '../store/postgres/errors.ts';
import { openPool, type SessionOptions } from '../store/postgres/session.ts';
import { ObjectStoreError, type ObjectStoreFailure } from './errors.ts';
import type { DatabaseLocation } from './location.ts';
import type { ObjectStore, StoredObject } from './store.ts';

/** An object goes through the memory of both sides as a whole, more than once. */
const MAX_OBJECT_BYTES = 64 * 1024 * 1024;
/** Objects at a time; each has a session while it is written or read. */
const SESSIONS = 2;
/** Objects of one answer when they are listed. */
const PAGE = 1_000;
/** A database that says nothing is given up after the time that a statement may take, and this. */
const SILENCE_MS = 5_000;
/** The slowest way to a database that large objects are given time for. */
const BYTES_PER_MS = 1_000;

/** SQLSTATEs, and classes, that say that it takes no more, and that it refuses us; whatever else is wrong may pass. */
const FULL = ['53100', '53200', '54000'];
const REFUSED = ['25006', '28', '3D', '3F', '42'];

export class PostgresObjects implements ObjectStore {
  readonly location: DatabaseLocation;
  readonly maxBytes = MAX_OBJECT_BYTES;
  readonly #options: SessionOptions;
  readonly #pool: Pool;

  private constructor(location: DatabaseLocation, options: SessionOptions, pool: Pool) {
    this.location = location;
    this.#options = options;
    this.#pool = pool;
    // Of a session that nobody uses: whoever needs one next makes another, and hears why that cannot be.
    pool.on('error', () => {});
  }

  /** Makes no session yet, and no table: the store of studies does. @throws StoreError for a file that the options name. */
  static async open(location: DatabaseLocation, options: SessionOptions): Promise<PostgresObjects> {
    return new PostgresObjects(location, options, await openPool({ ...options, sessions: SESSIONS }));
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    this.#checkSize(bytes.length);
    const sum = createHash('sha256').update(bytes).digest();
    const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const { rowCount } = await this.#query(
      `INSERT INTO objects (key, bytes, sha256, size, created)
       SELECT $1, $2, $3, $4, now_ms() WHERE sha256($2::bytea) = $3::bytea
       ON CONFLICT (key) DO UPDATE
         SET bytes = excluded.bytes, sha256 = excluded.sha256, size = excluded.size, created = excluded.created`,
      [this.#at(key), content, sum, bytes.length],
      bytes.length,
    );
    if (rowCount !== 1) throw this.#failure('away', 'cannot be reached', 'what it was sent arrived damaged');
  }

  async putFile(key: string, path: string): Promise<void> {
    this.#checkSize((await stat(path)).size);
    await this.put(key, await readFile(path));
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const { rows } = await this.#query<{ bytes: Uint8Array }>(
      'SELECT bytes FROM objects WHERE key = $1',
      [this.#at(key)],
      MAX_OBJECT_BYTES,
    );
    return rows[0]?.bytes;
  }

  async getFile(key: string, path: string): Promise<boolean> {
    const bytes = await this.get(key);
    if (bytes === undefined) return false;
    await using file = await open(path, 'wx');
    await file.writeFile(bytes);
    return true;
  }

  async *list(prefix: string): AsyncGenerator<StoredObject> {
    const { first, end } = this.#range(prefix);
    let last = first;
    for (;;) {
      const { rows } = await this.#query<{ key: string; size: string; created: string }>(
        'SELECT key, size, created FROM objects WHERE key > $1 AND key < $2 ORDER BY key LIMIT $3',
        [last, end, PAGE],
      );
      for (const { key, size, created } of rows) {
        const own = key.slice(this.location.prefix.length);
        yield { key: own, bytes: Number(size), modified: new Date(Number(created)) };
        last = key;
      }
      if (rows.length < PAGE) return;
    }
  }

  async remove(key: string): Promise<void> {
    await this.#query('DELETE FROM objects WHERE key = $1', [this.#at(key)]);
  }

  async removeAll(prefix: string): Promise<void> {
    const { first, end } = this.#range(prefix);
    await this.#query('DELETE FROM objects WHERE key > $1 AND key < $2', [first, end]);
  }

  /** Nothing ever is: each object is one statement. */
  async discardIncomplete(): Promise<void> {}

  async check(): Promise<void> {
    await this.#query('SELECT key FROM objects LIMIT 1');
  }

  close(): void {
    void this.#pool.end();
  }

  /** @param bytes that the statement sends or may bring: it is given the time for them. */
  async #query<Row extends QueryResultRow>(
    text: string,
    values: readonly unknown[] = [],
    bytes = 0,
  ): Promise<QueryResult<Row>> {
    const query_timeout = this.#options.statementMs + SILENCE_MS + bytes / BYTES_PER_MS;
    try {
      // What the driver takes, its types do not know.
      return await this.#pool.query<Row>({ text, values: [...values], query_timeout } as { text: string });
    } catch (error) {
      throw this.#asObjectStoreError(error);
    }
  }

  #asObjectStoreError(error: unknown): unknown {
    const code = sqlState(error);
    const isOf = (codes: readonly string[]) => codes.some((begin) => code?.startsWith(begin));
    if (isOf(FULL)) return this.#failure('full', 'is full', reasonOf(error));
    if (isOf(REFUSED)) return this.#failure('refused', 'refuses', reasonOf(error));
    const isAway = unavailable(error, this.#options.database) !== undefined;
    return isAway ? this.#failure('away', 'cannot be reached', reasonOf(error)) : error;
  }

  #failure(failure: ObjectStoreFailure, verb: string, said: string): ObjectStoreError {
    return new ObjectStoreError(failure, `${nameOf(this.#options.database)} ${verb}: ${said}`);
  }

  #checkSize(bytes: number): void {
    if (bytes <= MAX_OBJECT_BYTES) return;
    throw new ObjectStoreError(
      'too large',
      `${nameOf(this.#options.database)} has no room for ${bytes} bytes in one piece: at most ${MAX_OBJECT_BYTES}; ` +
        'a store of objects for larger ones is --objects s3://BUCKET/PREFIX',
    );
  }

  #at(key: string): string {
    return `${this.location.prefix}${key}`;
  }

  /** All keys below a prefix are between these two. */
  #range(prefix: string): { readonly first: string; readonly end: string } {
    const all = this.#at(prefix);
    // By the order of bytes '0' comes next after '/'; keys are ASCII.
    return { first: all, end: all === '' ? '\u007f' : `${all.slice(0, -1)}0` };
  }
}

const nameOf = (database: Database): string =>
  `the object store in the database at ${placeOf(database)} (--store)`;
