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

/** What a transaction was made for has been changed by another one meanwhile: made again, it sees that. */
export class RaceLostError extends Error {
  override readonly name = 'RaceLostError';
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

/** Values for a list in a statement, some of them twice: so there are few texts of statements, of 1, 2, 4, 8 … values. */
export function padded<T extends Value>(values: readonly T[]): T[] {
  const last = values.at(-1);
  if (last === undefined) return [];
  const size = 2 ** Math.ceil(Math.log2(values.length));
  return [...values, ...Array<T>(size - values.length).fill(last)];
}

/** A `?` for each of the padded values. */
export const placesFor = (values: readonly Value[]): string =>
  padded(values)
    .map(() => '?')
    .join(', ');

/** Rows that one statement inserts, the most first: a fixed number of texts. */
const TOGETHER = [32, 8, 1];

/** @param into `INSERT INTO table (…)`. @param row `(?, …)`, with a place for each value of a row. */
export function* insertAll(into: string, row: string, rows: readonly (readonly Value[])[]): Steps<void> {
  let done = 0;
  for (const size of TOGETHER) {
    for (; rows.length - done >= size; done += size) {
      const values = rows.slice(done, done + size).flat();
      yield change(`${into} VALUES ${Array(size).fill(row).join(', ')}`, ...values);
    }
  }
}
