/**
 * Queries as values. What the store does is written once, as generators that ask for queries, are given their rows and
 * come to a result, without a word about how a database is reached: `sqlite/engine.ts` answers them at once, on the spot,
 * while a database at the other end of a connection answers as they come.
 */

export type Bytes = Uint8Array;
export type Value = null | number | bigint | string | Bytes;
/** By the names of columns; a whole number may come as any type that `Number()` takes. */
export type Row = Record<string, Value>;

/** SQL that SQLite and PostgreSQL both take, with a `?` for each value. */
export interface Query {
  readonly sql: string;
  readonly values: readonly Value[];
  /**
   * `rows`: answered with its rows. `change`: answered with none, perhaps before it is done; when it fails, so does the
   * transaction. `lock`: as that, and left out where only one transaction runs at a time.
   */
  readonly kind: 'rows' | 'change' | 'lock';
  /** What its rows are locked by, at the end of the SQL: left out where only one transaction runs at a time. */
  readonly locking?: string;
}

/** A part of a transaction. What it throws is its refusal. */
export type Steps<T> = Generator<Query, T, Row[]>;

/** What is to be read, or what tells of a change (`RETURNING`). */
export const query = (sql: string, ...values: Value[]): Query => ({ sql, values, kind: 'rows' });

/** A change of which nothing is to be known. */
export const change = (sql: string, ...values: Value[]): Query => ({ sql, values, kind: 'change' });

/** What is to be read, and kept from other transactions to the end of this one. @param locking `FOR UPDATE …` */
export const lockedQuery = (locking: string, sql: string, ...values: Value[]): Query => ({
  ...query(sql, ...values),
  locking,
});

/** Keeps other transactions from what it names, to the end of this one. */
export const lock = (sql: string, ...values: Value[]): Query => ({ sql, values, kind: 'lock' });

/** More than any id, number or count; no literal like 9e15, which would not be an integer for PostgreSQL. */
export const MOST = '9000000000000000';
