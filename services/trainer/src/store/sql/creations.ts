/**
 * Making studies, any number in one transaction: what may refuse each is asked for all of them at once, and rows of one table are
 * inserted together. Nothing waits for a row's key: others refer to a study by its name.
 */

import { RunMode, Study, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import { RequestIdReusedError, StudiesError } from '../errors.ts';
import { encodeEvent } from '../records.ts';
import type { NewStudy } from '../store.ts';
import { artifactsNamed } from './artifacts.ts';
import { type Counts, countsOf, expectRoomForActive, lockLimits } from './limits.ts';
import { type Bytes, insertAll, padded, query, type Row, type Steps, type Value } from './query.ts';
import { type Enqueued, enqueueAll } from './queue.ts';
import { isFinished, stateColumns } from './rows.ts';

/** A new study in encoded records. */
export type EncodedNewStudy = Omit<NewStudy, 'study' | 'trials'> & {
  readonly name: string;
  readonly study: Bytes;
  readonly trials: readonly { readonly name: string; readonly trial: Bytes }[];
};

/** The study that the same request made before; undefined when there was none, and this one is stored. Or why it is not. */
export type Creation = { readonly value: Bytes | undefined } | { readonly error: unknown };

/** @throws RequestIdReusedError, ActiveStudiesError, OwnerActiveStudiesError, StudiesError, NotFoundError of an artifact */
export function* createStudy(request: EncodedNewStudy): Steps<Bytes | undefined> {
  const [made] = yield* createStudies([request]);
  if (made === undefined || 'error' in made) throw made?.error;
  return made.value;
}

/** A study that is to be stored, and the ids of the artifacts that it names. */
interface Accepted {
  readonly request: EncodedNewStudy;
  readonly record: Study;
  readonly artifacts: readonly number[];
}

/** Stores studies with their trials; one that is refused leaves the others as they are. */
export function* createStudies(requests: readonly EncodedNewStudy[]): Steps<Creation[]> {
  yield lockLimits();
  const records = requests.map(({ study }) => Study.decode(study));
  const owners = [...new Set(records.map(({ owner }) => owner))];
  const counts = yield* countsOf(owners);
  const before = yield* requestsBefore(requests, records);
  const accepted: Accepted[] = [];
  const outcomes: Creation[] = [];
  for (const [i, request] of requests.entries()) {
    const record = records[i] as Study;
    const key = keyOf(record.owner, request.requestId);
    const same = request.requestId === '' ? undefined : before.get(key);
    try {
      if (same === undefined) {
        expectRoomForActive(counts.of(record.owner), request);
        expectRoom(counts.of(record.owner), request.maxStudies);
        accepted.push({ request, record, artifacts: yield* artifactsNamed(request.artifacts ?? []) });
        counts.add(record);
        before.set(key, { fingerprint: request.fingerprint, record: request.study });
      }
      outcomes.push({ value: same && sameAs(same, request) });
    } catch (error) {
      outcomes.push({ error });
    }
  }
  yield* storeAll(accepted);
  return outcomes;
}

interface Before {
  readonly fingerprint: Bytes;
  readonly record: Bytes;
}

const keyOf = (owner: string, requestId: string): string => JSON.stringify([owner, requestId]);

/** What the same requests have made before, by owner and request id. */
function* requestsBefore(
  requests: readonly EncodedNewStudy[],
  records: readonly Study[],
): Steps<Map<string, Before>> {
  const asked = requests.flatMap(({ requestId }, i) =>
    requestId === '' ? [] : [[(records[i] as Study).owner, requestId] as const],
  );
  if (asked.length === 0) return new Map();
  const pairs = padded(asked.map((_, i) => i)).map((i) => asked[i] as readonly [string, string]);
  const rows = yield query(
    `SELECT owner, request_id, fingerprint, record FROM studies
     WHERE ${pairs.map(() => '(owner = ? AND request_id = ?)').join(' OR ')}`,
    ...pairs.flat(),
  );
  return new Map(rows.map((row) => [keyOf(String(row.owner), String(row.request_id)), beforeIn(row)]));
}

const beforeIn = ({ fingerprint, record }: Row): Before => ({
  fingerprint: fingerprint as Bytes,
  record: record as Bytes,
});

/** @throws RequestIdReusedError */
function sameAs({ fingerprint, record }: Before, request: EncodedNewStudy): Bytes {
  if (Buffer.compare(fingerprint, request.fingerprint) === 0) return record;
  throw new RequestIdReusedError(`request id "${request.requestId}" was used before for another study`);
}

/** @throws StudiesError */
function expectRoom({ kept }: Counts, maxStudies = Number.POSITIVE_INFINITY): void {
  if (kept < maxStudies) return;
  throw new StudiesError(
    `${kept} studies are kept, as many as this server allows; delete one that has ended`,
  );
}

/** The key of a study that is being stored, by its name. */
const STUDY = '(SELECT id FROM studies WHERE name = ?)';

function* storeAll(accepted: readonly Accepted[]): Steps<void> {
  const studies: Value[][] = [];
  const labels: Value[][] = [];
  const trials: Value[][] = [];
  const uses: Value[][] = [];
  const events: Value[][] = [];
  const queued: Enqueued[] = [];
  for (const { request, record, artifacts } of accepted) {
    const { name, requestId, fingerprint, study } = request;
    const { owner } = record;
    const id = requestId === '' ? null : requestId;
    studies.push([name, owner, id, fingerprint, ...stateColumns(record), study]);
    for (const [key, value] of Object.entries(record.labels)) labels.push([name, key, value]);
    const external = record.mode === RunMode.EXTERNAL;
    let waiting = 0;
    for (const [number, { name: trialName, trial }] of request.trials.entries()) {
      const decoded = Trial.decode(trial);
      if (decoded.state === TrialState.PENDING) waiting += 1;
      const { state } = decoded;
      trials.push([trialName, name, number, state, isFinished(decoded), external ? 1 : 0, trial]);
    }
    const { priority, sampling } = record;
    const maxRunning = sampling?.maxRunningTrials ?? 0;
    if (!external) queued.push({ study: name, owner, priority, maxRunning, waiting });
    for (const artifact of artifacts) uses.push([artifact, name]);
    events.push([name, encodeEvent(new Date(), { $case: 'study', value: record })]);
  }
  yield* insertAll(
    'INSERT INTO studies (name, owner, request_id, fingerprint, state, active, ended, record)',
    '(?, ?, ?, ?, ?, ?, ?, ?)',
    studies,
  );
  yield* insertAll('INSERT INTO study_labels (study, key, value)', `(${STUDY}, ?, ?)`, labels);
  yield* insertAll(
    'INSERT INTO trials (name, study, number, epoch, state, finished, external, record)',
    `(?, ${STUDY}, ?, 0, ?, ?, ?, ?)`,
    trials,
  );
  yield* enqueueAll(queued, STUDY);
  yield* insertAll('INSERT INTO artifact_uses (artifact, study)', `(?, ${STUDY})`, uses);
  yield* insertAll('INSERT INTO events (study, sequence, record)', `(${STUDY}, 1, ?)`, events);
}
