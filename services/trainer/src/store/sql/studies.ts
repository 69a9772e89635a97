/** Studies: which there are. What makes them is in `creations.ts`, what changes them in `lifecycle.ts`. */

import type { Expiry, Page, PageRequest, StudyPage } from '../store.ts';
import { readPage } from './pages.ts';
import { type Bytes, MOST, padded, placesFor, query, type Steps, type Value } from './query.ts';
import { listTrials } from './trials.ts';

/** Names in one query. */
const AT_A_TIME = 512;

/** A study of one moment in encoded records. */
export interface EncodedSnapshot {
  readonly study: Bytes;
  readonly trials: readonly Bytes[];
  readonly sequence: number;
}

export function* getStudy(name: string): Steps<Bytes | undefined> {
  const [row] = yield query('SELECT record FROM studies WHERE name = ?', name);
  return row?.record as Bytes | undefined;
}

export function* getSnapshot(name: string, page: PageRequest<number>): Steps<EncodedSnapshot | undefined> {
  const study = yield* getStudy(name);
  if (study === undefined) return undefined;
  const sequence = yield* lastSequence(name);
  const { records: trials } = yield* listTrials(name, page);
  return { study, trials, sequence };
}

/** Of studies that are there, by name. */
export function* lastSequences(studies: readonly string[]): Steps<[string, number][]> {
  const found: [string, number][] = [];
  for (let start = 0; start < studies.length; start += AT_A_TIME) {
    const names = studies.slice(start, start + AT_A_TIME);
    const rows = yield query(
      `SELECT name, (SELECT max(sequence) FROM events WHERE study = studies.id) AS last
       FROM studies WHERE name IN (${placesFor(names)})`,
      ...padded(names),
    );
    for (const { name, last } of rows) found.push([String(name), Number(last ?? 0)]);
  }
  return found;
}

export function* lastSequence(study: string): Steps<number> {
  const [row] = yield query(
    'SELECT max(sequence) AS last FROM events WHERE study = (SELECT id FROM studies WHERE name = ?)',
    study,
  );
  return Number(row?.last ?? 0);
}

/** Newest first. A study that was deleted meanwhile still says where a page begins. */
export function* listStudies(page: StudyPage): Steps<Page<Bytes>> {
  const { states = [], labels = {}, owner, after = null } = page;
  const conditions = [
    `id < coalesce(
       (SELECT id FROM studies WHERE name = ?), (SELECT id FROM deleted_studies WHERE name = ?), ${MOST})`,
  ];
  const key: Value[] = [after, after];
  if (states.length > 0) {
    conditions.push(`state IN (${states.map(() => '?').join(', ')})`);
    key.push(...states);
  }
  if (owner !== undefined) {
    conditions.push('owner = ?');
    key.push(owner);
  }
  for (const [label, value] of Object.entries(labels)) {
    conditions.push(
      `EXISTS (SELECT 1 FROM study_labels AS label
         WHERE label.study = studies.id AND label.key = ? AND ? IN ('', label.value))`,
    );
    key.push(label, value);
  }
  const where = conditions.join(' AND ');
  return yield* readPage({ table: 'studies', where, by: ['id DESC'] }, key, page);
}

/** Names of studies that ended, the one that ended first before the others. */
export function* listExpired({ keep, endedBefore, limit }: Expiry): Steps<string[]> {
  // All up to the later of two: the last that ended before that time, and the newest that need not be kept.
  let upTo = { ended: endedBefore?.getTime() ?? Number.MIN_SAFE_INTEGER, id: 0 };
  if (keep !== undefined) {
    const [row] = yield query(
      'SELECT id, ended FROM studies WHERE ended IS NOT NULL ORDER BY ended DESC, id DESC LIMIT 1 OFFSET ?',
      keep,
    );
    const newest = { ended: Number(row?.ended ?? Number.MIN_SAFE_INTEGER), id: Number(row?.id ?? 0) };
    if (newest.ended >= upTo.ended) upTo = newest;
  }
  const rows = yield query(
    'SELECT name FROM studies WHERE ended IS NOT NULL AND (ended, id) <= (?, ?) ORDER BY ended, id LIMIT ?',
    ...[upTo.ended, upTo.id, limit],
  );
  return rows.map(({ name }) => String(name));
}
