/** Lists of records, a page at a time. */

import type { Page, PageRequest } from '../store.ts';
import { type Bytes, query, type Row, type Steps, type Value } from './query.ts';

/** Which records of a list come, by their sizes. */
interface Plan {
  readonly count: number;
  readonly more: boolean;
}

/** Records of one table. */
export interface RecordList {
  readonly table: string;
  /** Condition, with a `?` for each value of the key. */
  readonly where: string;
  /** Columns that they are in the order of, with ` DESC` after one that falls. */
  readonly by: readonly string[];
}

/**
 * One query, which sees one moment. How long a record is, a database knows without reading it: those that do not come are not read.
 * @param key values of the condition.
 */
export function* readPage(
  { table, where, by }: RecordList,
  key: readonly Value[],
  { limit, maxBytes = Number.MAX_SAFE_INTEGER }: PageRequest<unknown>,
): Steps<Page<Bytes>> {
  const order = `ORDER BY ${by.join(', ')}`;
  const columns = new Set(['id', ...by.map((column) => column.replace(' DESC', ''))]);
  const rows = yield query(
    `SELECT CASE WHEN place <= ? AND (place = 1 OR bytes <= ?)
       THEN (SELECT record FROM ${table} WHERE ${table}.id = placed.id) END AS record
     FROM (
       SELECT id, row_number() OVER (${order}) AS place, sum(bytes) OVER (${order} ROWS UNBOUNDED PRECEDING) AS bytes
       FROM (SELECT ${[...columns].join(', ')}, length(record) AS bytes FROM ${table} WHERE ${where} ${order} LIMIT ?) AS listed
     ) AS placed ORDER BY place`,
    ...[limit, maxBytes, ...key, limit + 1],
  );
  const records = rows.flatMap(({ record }) => (record === null ? [] : [record as Bytes]));
  return { records, more: records.length < rows.length };
}

/**
 * How many rows fit, by their lengths alone, which a database knows without reading the rows.
 * @param sql gives `bytes` of each row, with `LIMIT ?` last.
 */
export function* planPage(sql: string, key: readonly Value[], page: PageRequest<unknown>): Steps<Plan> {
  const rows = yield query(sql, ...key, page.limit + 1);
  return fit(rows, ({ bytes }) => Number(bytes), page);
}

/** How many of these rows, of which there is one more than may come, come. */
export function fit(
  rows: readonly Row[],
  bytesOf: (row: Row) => number,
  { limit, maxBytes = Number.POSITIVE_INFINITY }: PageRequest<unknown>,
): Plan {
  let bytes = 0;
  for (const [count, row] of rows.entries()) {
    bytes += bytesOf(row);
    if (count === limit || (count > 0 && bytes > maxBytes)) return { count, more: true };
  }
  return { count: rows.length, more: false };
}
