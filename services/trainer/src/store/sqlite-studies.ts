/** Studies in the SQLite store: making them, and which there are. What changes them is in `sqlite-lifecycle.ts`. */

import type { SQLInputValue } from 'node:sqlite';
import { RunMode, Study, Trial } from '@glocal/proto/glocal/v1/study';
import { RequestIdReusedError, StudiesError } from './errors.ts';
import type { SqliteArtifacts } from './sqlite-artifacts.ts';
import { expectRoomForActive } from './sqlite-lifecycle.ts';
import { type Bytes, isFinished, type SqliteRecords, stateColumns } from './sqlite-records.ts';
import { listTrials } from './sqlite-trials.ts';
import type { Expiry, NewStudy, Page, PageRequest, StudyPage } from './store.ts';

/** A new study in encoded records. */
export type EncodedNewStudy = Omit<NewStudy, 'study' | 'trials'> & {
  readonly name: string;
  readonly study: Bytes;
  readonly trials: readonly { readonly name: string; readonly trial: Bytes }[];
};

/** A study of one moment in encoded records. */
export interface EncodedSnapshot {
  readonly study: Bytes;
  readonly trials: readonly Bytes[];
  readonly sequence: number;
}

/**
 * Stores a study with its trials.
 * @returns the study that was made by the same request before; undefined when there was none, and this one is stored.
 * @throws RequestIdReusedError, ActiveStudiesError, OwnerActiveStudiesError, StudiesError, NotFoundError of an artifact
 */
export function createStudy(
  records: SqliteRecords,
  artifacts: SqliteArtifacts,
  request: EncodedNewStudy,
): Bytes | undefined {
  const { name, study, trials, requestId, fingerprint } = request;
  const record = Study.decode(study);
  const { owner } = record;
  const before = requestId === '' ? undefined : requested(records, owner, request);
  if (before !== undefined) return before;
  expectRoomForActive(records, owner, request);
  expectRoom(records, request.maxStudies);
  const id = records.insert(
    `INSERT INTO studies (name, owner, request_id, fingerprint, state, active, ended, record)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[name, owner, requestId === '' ? null : requestId, fingerprint, ...stateColumns(record), study],
  );
  for (const [key, value] of Object.entries(record.labels)) {
    records.run('INSERT INTO study_labels (study, key, value) VALUES (?, ?, ?)', id, key, value);
  }
  const external = record.mode === RunMode.EXTERNAL ? 1 : 0;
  for (const [number, { name, trial }] of trials.entries()) {
    const decoded = Trial.decode(trial);
    records.insert(
      `INSERT INTO trials (name, study, number, epoch, state, finished, external, record)
       VALUES (?, ?, ?, 0, ?, ?, ?, ?)`,
      ...[name, id, number, decoded.state, isFinished(decoded), external, trial],
    );
  }
  artifacts.use(id, request.artifacts ?? []);
  records.addEvent(id, { $case: 'study', value: record });
  return undefined;
}

/** What was made by the same request. */
function requested(
  records: SqliteRecords,
  owner: string,
  { requestId, fingerprint }: Pick<EncodedNewStudy, 'requestId' | 'fingerprint'>,
): Bytes | undefined {
  const before = records.get(
    'SELECT fingerprint, record FROM studies WHERE owner = ? AND request_id = ?',
    owner,
    requestId,
  );
  if (before === undefined) return undefined;
  if (Buffer.compare(before.fingerprint as Bytes, fingerprint) !== 0) {
    throw new RequestIdReusedError(`request id "${requestId}" was used before for another study`);
  }
  return before.record as Bytes;
}

/** @throws StudiesError */
function expectRoom(records: SqliteRecords, maxStudies = Number.POSITIVE_INFINITY): void {
  if (maxStudies === Number.POSITIVE_INFINITY) return;
  const kept = Number(records.get("SELECT n FROM counts WHERE what = 'studies'")?.n);
  if (kept < maxStudies) return;
  throw new StudiesError(
    `${kept} studies are kept, as many as this server allows; delete one that has ended`,
  );
}

export function getStudy(records: SqliteRecords, name: string): Bytes | undefined {
  return records.get('SELECT record FROM studies WHERE name = ?', name)?.record as Bytes | undefined;
}

export function getSnapshot(
  records: SqliteRecords,
  name: string,
  page: PageRequest<number>,
): EncodedSnapshot | undefined {
  const study = getStudy(records, name);
  if (study === undefined) return undefined;
  const sequence = lastSequence(records, name);
  return { study, trials: listTrials(records, name, page).records, sequence };
}

/** Of the events of a study; 0 when there is none. */
export function lastSequence(records: SqliteRecords, study: string): number {
  const row = records.get('SELECT id FROM studies WHERE name = ?', study);
  return row === undefined ? 0 : records.lastSequence(Number(row.id));
}

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
