/**
 * Who trains what: claims of trials by workers, and the leases that keep them. `queue.ts` counts what there is to claim.
 *
 * A trial's claim names a worker, and the worker has one lease for all of its claims, renewed by the database's clock: that
 * of a worker does not matter.
 */

import { Study, type StudyState, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import * as transitions from '../../lifecycle/transitions.ts';
import { hasEnded } from '../../resource/states.ts';
import type { ClaimRequest, HeldTrial, LeaseRequest, LostTrial } from '../store.ts';
import { setCause, settle } from './lifecycle.ts';
import {
  type Bytes,
  change,
  lock,
  lockedQuery,
  padded,
  placesFor,
  query,
  type Steps,
  type Value,
} from './query.ts';
import { claimable, countStarted, NO_LIMIT } from './queue.ts';
import {
  asTrial,
  type KeptTrial,
  nextEpoch,
  putClaimed,
  putTrial,
  studyOf,
  trial as trialToChange,
} from './rows.ts';
import type { EncodedStartedTrial } from './trials.ts';

/** @see Store.claimTrial */
export function* claimTrial(request: ClaimRequest): Steps<EncodedStartedTrial | undefined> {
  const first = yield* nextStudy(request, NOBODY, SKIPPING);
  if (first === undefined || first.unknown > 0) {
    const given = yield* givenBefore(request);
    if (given !== undefined) return yield* givenAgain(request, given);
  }
  const next = yield* nextTrial(request, first);
  if (next === undefined) return undefined;
  const { study, trial } = next;
  const { worker, leaseMs } = request;
  yield change('INSERT INTO claims (trial, worker) VALUES (?, ?)', trial.id, worker);
  const { epoch, record } = yield* putClaimed(trial, transitions.startTrial(trial.record, new Date()));
  yield keepLease(worker, leaseMs);
  yield* countStarted(trial, study.owner, request.maxOwnerRunningTrials);
  const { name } = trial.record;
  return { name, epoch, checkpoint: trial.checkpoint, study: study.record, trial: record };
}

/** A trial that the worker was given, and does not know of: the answer was lost. */
function* givenBefore({ worker, holding }: ClaimRequest): Steps<KeptTrial | undefined> {
  const rows = yield query(
    `SELECT trials.name FROM claims JOIN trials ON trials.id = claims.trial
     WHERE claims.worker = ? ORDER BY claims.trial`,
    worker,
  );
  for (const { name } of rows) {
    if (holding.includes(String(name))) continue;
    const trial = yield* trialToChange(String(name));
    const [claim] = yield query('SELECT worker FROM claims WHERE trial = ?', trial.id);
    if (claim?.worker === worker) return trial;
  }
  return undefined;
}

/** With a new epoch: who was not told has no other claim of it that counts. */
function* givenAgain({ worker, leaseMs }: ClaimRequest, trial: KeptTrial): Steps<EncodedStartedTrial> {
  const epoch = yield* nextEpoch(trial);
  const { record: study } = yield* studyOf(trial);
  yield keepLease(worker, leaseMs);
  return {
    ...{ name: trial.record.name, epoch, checkpoint: trial.checkpoint },
    study: Study.encode(study).finish(),
    trial: Trial.encode(trial.record).finish(),
  };
}

/** A study whose row this transaction has to itself. */
interface ChosenStudy {
  readonly id: number;
  readonly owner: string;
  readonly record: Bytes;
  /** Trials that the worker has claimed and does not know of. */
  readonly unknown: number;
}

/** Owners and studies that are passed over. */
interface Besides {
  readonly owners: readonly string[];
  readonly studies: readonly number[];
}

const NOBODY: Besides = { owners: [], studies: [] };
/** Whoever has a study to itself now is passed over, unless there is nothing else. */
const SKIPPING = 'FOR UPDATE OF studies SKIP LOCKED';
const WAITING = 'FOR UPDATE OF studies';

/**
 * Whose turn it is: the owner with the fewest trials running, of whom none was begun for the longest time; of the owner's
 * studies the most urgent, then one with a trial that was interrupted, then the one with the fewest running, then the oldest;
 * of its trials one that was interrupted, then the first.
 * @param first what {@link nextStudy} has found already.
 */
function* nextTrial(
  request: ClaimRequest,
  first: ChosenStudy | undefined,
): Steps<{ study: ChosenStudy; trial: KeptTrial } | undefined> {
  let study = first;
  for (const locking of [SKIPPING, WAITING]) {
    const owners: string[] = [];
    const studies: number[] = [];
    if (locking === WAITING) study = yield* nextStudy(request, { owners, studies }, locking);
    for (;;) {
      if (study === undefined) {
        const owner = yield* nextOwner(request, owners);
        if (owner === undefined) break;
        owners.push(owner);
      } else {
        const trial = yield* waitingTrial(study.id);
        if (trial !== undefined) return { study, trial };
        studies.push(study.id);
      }
      study = yield* nextStudy(request, { owners, studies }, locking);
    }
    if (owners.length === 0) return undefined;
  }
  return undefined;
}

/** Has the owner whose turn it is, of those that have something that may be claimed. */
const ownerWhoseTurnItIs = (besides: readonly string[]): string =>
  `SELECT owner FROM queued_owners
   WHERE waiting > 0 AND running < ?${notIn('owner', besides)} AND EXISTS (
     SELECT 1 FROM queued_studies
     WHERE queued_studies.owner = queued_owners.owner AND ${claimable('queued_studies')})
   ORDER BY running, served, owner LIMIT 1`;

function* nextOwner(request: ClaimRequest, besides: readonly string[]): Steps<string | undefined> {
  const [row] = yield query(ownerWhoseTurnItIs(besides), ...[mostOf(request), ...padded(besides)]);
  return row && String(row.owner);
}

/** Of the owner whose turn it is; undefined when that one has none, or nobody has. */
function* nextStudy(
  request: ClaimRequest,
  { owners, studies }: Besides,
  locking: string,
): Steps<ChosenStudy | undefined> {
  const { worker, holding, except } = request;
  const [row] = yield lockedQuery(
    locking,
    `SELECT queued_studies.study, queued_studies.owner, studies.record,
       (SELECT count(*) FROM claims JOIN trials ON trials.id = claims.trial
        WHERE claims.worker = ?${notIn('trials.name', holding)}) AS unknown
     FROM queued_studies JOIN studies ON studies.id = queued_studies.study
     WHERE queued_studies.owner = (${ownerWhoseTurnItIs(owners)})
       AND ${claimable('queued_studies')}${notIn('queued_studies.study', studies)}${notIn('studies.name', except)}
     ORDER BY priority DESC, (again > 0) DESC, running, study LIMIT 1`,
    ...[
      worker,
      ...padded(holding),
      mostOf(request),
      ...padded(owners),
      ...padded(studies),
      ...padded(except),
    ],
  );
  return (
    row && {
      ...{ id: Number(row.study), owner: String(row.owner), record: row.record as Bytes },
      unknown: Number(row.unknown),
    }
  );
}

/** Of a study that is locked: what was chosen may have changed before it was. */
function* waitingTrial(study: number): Steps<KeptTrial | undefined> {
  const [trial] = yield query(
    `SELECT * FROM trials
     WHERE study = ? AND external = 0 AND state = ${TrialState.PENDING}
       AND EXISTS (SELECT 1 FROM queued_studies WHERE queued_studies.study = trials.study AND ${claimable('queued_studies')})
     ORDER BY (epoch > 0) DESC, number LIMIT 1`,
    study,
  );
  return trial && asTrial(trial);
}

const mostOf = ({ maxOwnerRunningTrials = NO_LIMIT }: ClaimRequest): number => maxOwnerRunningTrials;

const notIn = (column: string, values: readonly Value[]): string =>
  values.length === 0 ? '' : ` AND ${column} NOT IN (${placesFor(values)})`;

/** From now on, by the database's clock. */
const keepLease = (worker: string, leaseMs: number) =>
  change(
    `INSERT INTO workers (name, heard, lease_until) VALUES (?, now_ms(), now_ms() + ?)
     ON CONFLICT (name) DO UPDATE SET heard = excluded.heard, lease_until = excluded.lease_until`,
    ...[worker, leaseMs],
  );

/** @see Store.renewLease */
export function* renewLease({ worker, leaseMs, claims }: LeaseRequest): Steps<HeldTrial[]> {
  yield keepLease(worker, leaseMs);
  const rows = yield query(
    `SELECT trials.name, trials.epoch, studies.state FROM claims
     JOIN trials ON trials.id = claims.trial JOIN studies ON studies.id = trials.study
     WHERE claims.worker = ?`,
    worker,
  );
  const held = new Map(rows.map((row) => [String(row.name), row]));
  return claims.map(({ trial, epoch }) => {
    const row = held.get(trial);
    const isHeld = row !== undefined && Number(row.epoch) === epoch;
    return { trial, study: isHeld ? (Number(row.state) as StudyState) : undefined };
  });
}

/** Names of running trials that nobody trains: their workers' leases have passed. @param everyone whose trials they are. */
export function* listLostTrials(everyone: boolean): Steps<LostTrial[]> {
  const rows = everyone
    ? yield query(
        `SELECT name, '' AS worker, 0 AS silent FROM trials
         WHERE finished = 0 AND external = 0 AND state = ${TrialState.RUNNING} ORDER BY study, number`,
      )
    : yield query(
        `SELECT trials.name, claims.worker, now_ms() - workers.heard AS silent FROM claims
         JOIN trials ON trials.id = claims.trial JOIN workers ON workers.name = claims.worker
         WHERE workers.lease_until <= now_ms() ORDER BY claims.trial`,
      );
  return rows.map(({ name, worker, silent }) => ({
    ...{ trial: String(name), worker: String(worker), silentMs: Number(silent) },
  }));
}

/**
 * The trial as it is then, when nobody trains it: it waits again, or is PAUSED with its study, or has ended.
 * @param death that it was; undefined whoever trains the trial, which is only interrupted then.
 */
export function* takeFromLost(
  name: string,
  why: string,
  death: transitions.WorkerDeath | undefined,
): Steps<Bytes | undefined> {
  const trial = yield* trialToChange(name);
  if (trial.record.state !== TrialState.RUNNING) return undefined;
  if (death !== undefined) {
    yield lock(
      'SELECT name FROM workers WHERE name = (SELECT worker FROM claims WHERE trial = ?) FOR UPDATE',
      trial.id,
    );
    const passed = yield query(
      `SELECT 1 AS one FROM claims JOIN workers ON workers.name = claims.worker
       WHERE claims.trial = ? AND workers.lease_until <= now_ms()`,
      trial.id,
    );
    if (passed.length === 0) return undefined;
  }
  const study = yield* studyOf(trial);
  const { state } = study.record;
  const after =
    death === undefined
      ? transitions.interruptTrial(trial.record, state, { why, crashed: false })
      : transitions.loseWorker(trial.record, state, death, new Date());
  if (after.state === TrialState.PAUSED) yield setCause(trial, 'caller');
  const record = yield* putTrial(trial, after);
  if (hasEnded(after)) yield* settle(study);
  yield change(
    `DELETE FROM workers WHERE lease_until <= now_ms()
       AND NOT EXISTS (SELECT 1 FROM claims WHERE claims.worker = workers.name)`,
  );
  return record;
}
