/** Lists of records, a page at a time. */

import type { Page, PageRequest } from '../store.ts';
import { type Bytes, query, type Row, type Steps, type Value } from './query.ts';

/** Which records of a list come, by their sizes. */
interface Plan {
  readonly count: number;
  readonly more: boolean;
}

/** @param list from which table, which rows, in which order, and `LIMIT ?` last. */
export function* readPage(
  list: string,
  key: readonly Value[],
  page: PageRequest<unknown>,
): Steps<Page<Bytes>> {
  const { count, more } = yield* planPage(`SELECT length(record) AS bytes ${list}`, key, page);
  if (count === 0) return { records: [], more };
  const rows = yield query(`SELECT record ${list}`, ...key, count);
  return { records: rows.map(({ record }) => record as Bytes), more };
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
