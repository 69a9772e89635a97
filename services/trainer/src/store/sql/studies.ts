/** Studies: making them, and which there are. What changes them is in `lifecycle.ts`. */

import { RunMode, Study, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import { RequestIdReusedError, StudiesError } from '../errors.ts';
import type { Expiry, NewStudy, Page, PageRequest, StudyPage } from '../store.ts';
import { artifactsNamed } from './artifacts.ts';
import { COUNTS, type Counts, countsIn, expectRoomForActive, lockLimits } from './limits.ts';
import { readPage } from './pages.ts';
import { type Bytes, change, MOST, query, type Row, type Steps, type Value } from './query.ts';
import { enqueue } from './queue.ts';
import { insertEvent, isFinished, stateColumns } from './rows.ts';
import { listTrials } from './trials.ts';

/** Names in one query. */
const AT_A_TIME = 512;

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
 * Stores a study with its trials, after all that may refuse it.
 * @returns the study that was made by the same request before; undefined when there was none, and this one is stored.
 * @throws RequestIdReusedError, ActiveStudiesError, OwnerActiveStudiesError, StudiesError, NotFoundError of an artifact
 */
export function* createStudy(request: EncodedNewStudy): Steps<Bytes | undefined> {
  const { name, study, trials, requestId, fingerprint } = request;
  const record = Study.decode(study);
  const { owner } = record;
  yield lockLimits();
  const { before, counts } = yield* situationOf(owner, requestId);
  if (before !== undefined) return sameAs(before, request);
  expectRoomForActive(counts, request);
  expectRoom(counts, request.maxStudies);
  const artifacts = yield* artifactsNamed(request.artifacts ?? []);
  const [state, active, ended] = stateColumns(record);
  const [row] = yield query(
    `INSERT INTO studies (name, owner, request_id, fingerprint, state, active, ended, record)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
    ...[name, owner, requestId === '' ? null : requestId, fingerprint, state, active, ended, study],
  );
  const id = Number((row as Row).id);
  for (const [key, value] of Object.entries(record.labels)) {
    yield change('INSERT INTO study_labels (study, key, value) VALUES (?, ?, ?)', id, key, value);
  }
  const external = record.mode === RunMode.EXTERNAL ? 1 : 0;
  let waiting = 0;
  for (const [number, { name, trial }] of trials.entries()) {
    const decoded = Trial.decode(trial);
    if (decoded.state === TrialState.PENDING) waiting += 1;
    yield change(
      `INSERT INTO trials (name, study, number, epoch, state, finished, external, record)
       VALUES (?, ?, ?, 0, ?, ?, ?, ?)`,
      ...[name, id, number, decoded.state, isFinished(decoded), external, trial],
    );
  }
  if (record.mode !== RunMode.EXTERNAL) {
    const { priority, sampling } = record;
    const maxRunning = sampling?.maxRunningTrials ?? 0;
    yield* enqueue(id, { owner, priority, maxRunning, waiting });
  }
  for (const artifact of artifacts) {
    yield change('INSERT INTO artifact_uses (artifact, study) VALUES (?, ?)', artifact, id);
  }
  yield insertEvent(id, 1, { $case: 'study', value: record });
  return undefined;
}

/** What was made by the same request, and how many studies there are: one query, for which all that are made wait. */
function* situationOf(owner: string, requestId: string): Steps<{ before: Row | undefined; counts: Counts }> {
  const [row] = yield query(
    `SELECT ${COUNTS}, fingerprint, record FROM (SELECT 1 AS one) AS always
     LEFT JOIN studies ON owner = ? AND request_id = ?`,
    ...[owner, owner, requestId === '' ? null : requestId],
  );
  const before = (row?.record ?? null) === null ? undefined : row;
  return { before, counts: countsIn(row) };
}

/** @throws RequestIdReusedError */
function sameAs({ fingerprint, record }: Row, request: EncodedNewStudy): Bytes {
  if (Buffer.compare(fingerprint as Bytes, request.fingerprint) === 0) return record as Bytes;
  throw new RequestIdReusedError(`request id "${request.requestId}" was used before for another study`);
}

/** @throws StudiesError */
function expectRoom({ kept }: Counts, maxStudies = Number.POSITIVE_INFINITY): void {
  if (kept < maxStudies) return;
  throw new StudiesError(
    `${kept} studies are kept, as many as this server allows; delete one that has ended`,
  );
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

/** Of the events of a study; 0 when there is none. */
/** Of studies that are there, by name. */
export function* lastSequences(studies: readonly string[]): Steps<[string, number][]> {
  const found: [string, number][] = [];
  for (let start = 0; start < studies.length; start += AT_A_TIME) {
    const names = studies.slice(start, start + AT_A_TIME);
    // Of few lengths, so that there are few statements.
    const size = 2 ** Math.ceil(Math.log2(names.length));
    const padded = Array.from({ length: size }, (_, i) => names[i] ?? (names[0] as string));
    const rows = yield query(
      `SELECT name, (SELECT max(sequence) FROM events WHERE study = studies.id) AS last
       FROM studies WHERE name IN (${padded.map(() => '?').join(', ')})`,
      ...padded,
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
  const list = `FROM studies WHERE ${conditions.join(' AND ')} ORDER BY id DESC LIMIT ?`;
  return yield* readPage(list, key, page);
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
