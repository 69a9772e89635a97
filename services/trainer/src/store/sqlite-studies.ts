/** Lists of studies in the SQLite store. */

import type { SQLInputValue } from 'node:sqlite';
import type { Bytes, SqliteRecords } from './sqlite-records.ts';
import type { Expiry, Page, StudyPage } from './store.ts';

/** Newest first. A study that was deleted meanwhile still says where a page begins. */
export function listStudies(records: SqliteRecords, page: StudyPage): Page<Bytes> {
  const { states, labels, owner } = page;
  const conditions = [
    `id < coalesce((SELECT id FROM studies WHERE name = ?1), (SELECT id FROM deleted_studies WHERE name = ?1), 9e15)`,
  ];
  const key: SQLInputValue[] = [page.after ?? null];
  const also = (condition: (parameter: string) => string, value: SQLInputValue) => {
    key.push(value);
    conditions.push(condition(`?${key.length}`));
  };
  if (states !== undefined && states.length > 0) {
    also((wanted) => `state IN (SELECT value FROM json_each(${wanted}))`, JSON.stringify(states));
  }
  if (owner !== undefined) also((wanted) => `owner = ${wanted}`, owner);
  if (labels !== undefined && Object.keys(labels).length > 0) {
    also(
      (wanted) => `NOT EXISTS (
        SELECT 1 FROM json_each(${wanted}) AS wanted WHERE NOT EXISTS (
          SELECT 1 FROM study_labels AS label
          WHERE label.study = studies.id AND label.key = wanted.key AND wanted.value IN ('', label.value)))`,
      JSON.stringify(labels),
    );
  }
  const list = `FROM studies WHERE ${conditions.join(' AND ')} ORDER BY id DESC LIMIT ?${key.length + 1}`;
  return records.page(list, key, page);
}

/** Names of studies that ended, the one that ended first before the others. */
export function listExpired(records: SqliteRecords, { keep, endedBefore, limit }: Expiry): string[] {
  const rows = records.all(
    `SELECT name FROM studies WHERE ended IS NOT NULL AND (ended < ?1 OR id IN (
       SELECT id FROM studies WHERE ended IS NOT NULL ORDER BY ended DESC, id DESC LIMIT -1 OFFSET ?2))
     ORDER BY ended, id LIMIT ?3`,
    endedBefore?.getTime() ?? 0,
    keep ?? Number.MAX_SAFE_INTEGER,
    limit,
  );
  return rows.map(({ name }) => String(name));
}
