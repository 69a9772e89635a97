/**
 * Who trains what: claims of trials by workers, and the leases that keep them. `queue.ts` counts what there is to claim.
 *
 * A trial's claim names a worker, and the worker has one lease for all of its claims, renewed by the database's clock: that
 * of a worker does not matter.
 */

import { Study, type StudyState, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import * as transitions from '../../lifecycle/transitions.ts';
import type { ClaimRequest, HeldTrial, LeaseRequest, LostTrial } from '../store.ts';
import { setCause } from './lifecycle.ts';
import { change, lock, lockedQuery, query, type Steps, type Value } from './query.ts';
import { claimable, lockOwner } from './queue.ts';
import { asTrial, type KeptTrial, nextEpoch, putTrial, studyOf, trial as trialToChange } from './rows.ts';
import type { EncodedStartedTrial } from './trials.ts';

/** @see Store.claimTrial */
export function* claimTrial(request: ClaimRequest): Steps<EncodedStartedTrial | undefined> {
  const given = yield* givenBefore(request);
  if (given !== undefined) return yield* started(request, given, given.record);
  const trial = yield* nextTrial(request);
  if (trial === undefined) return undefined;
  yield change('INSERT INTO claims (trial, worker) VALUES (?, ?)', trial.id, request.worker);
  const claimed = transitions.startTrial(trial.record, new Date());
  yield* putTrial(trial, claimed);
  return yield* started(request, trial, claimed);
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

function* started(
  { worker, leaseMs }: ClaimRequest,
  trial: KeptTrial,
  record: Trial,
): Steps<EncodedStartedTrial> {
  const epoch = yield* nextEpoch(trial);
  const { record: study } = yield* studyOf(trial);
  yield keepLease(worker, leaseMs);
  return {
    ...{ name: record.name, epoch, checkpoint: trial.checkpoint },
    study: Study.encode(study).finish(),
    trial: Trial.encode(record).finish(),
  };
}

/**
 * Whose turn it is: the owner with the fewest trials running, of whom none was begun for the longest time; of the owner's
 * studies the most urgent, then one with a trial that was interrupted, then the one with the fewest running, then the oldest;
 * of its trials one that was interrupted, then the first.
 */
function* nextTrial(request: ClaimRequest): Steps<KeptTrial | undefined> {
  const full: string[] = [];
  // Whoever has a study to itself now is passed over, unless there is nothing else.
  for (const locking of ['FOR UPDATE OF studies SKIP LOCKED', 'FOR UPDATE OF studies']) {
    const owners = [...full];
    for (;;) {
      const owner = yield* nextOwner(request, owners);
      if (owner === undefined) break;
      const trial = yield* nextOf(owner, request, locking);
      if (trial !== undefined && (yield* lockOwner(owner, mostOf(request)))) return trial;
      owners.push(owner);
      if (trial !== undefined) full.push(owner);
    }
    if (owners.length === full.length) return undefined;
  }
  return undefined;
}

function* nextOwner(request: ClaimRequest, besides: readonly string[]): Steps<string | undefined> {
  const [row] = yield query(
    `SELECT owner FROM queued_owners
     WHERE waiting > 0 AND running < ?${notIn('owner', besides)} AND EXISTS (
       SELECT 1 FROM queued_studies
       WHERE queued_studies.owner = queued_owners.owner AND ${claimable('queued_studies')})
     ORDER BY running, served, owner LIMIT 1`,
    ...[mostOf(request), ...padded(besides)],
  );
  return row && String(row.owner);
}

/** A waiting trial of the owner, whose study is locked. */
function* nextOf(owner: string, { except }: ClaimRequest, locking: string): Steps<KeptTrial | undefined> {
  const tried: number[] = [];
  for (;;) {
    const [study] = yield lockedQuery(
      locking,
      `SELECT study FROM queued_studies JOIN studies ON studies.id = queued_studies.study
       WHERE queued_studies.owner = ? AND ${claimable('queued_studies')}${notIn('study', tried)}
       ORDER BY priority DESC, (again > 0) DESC, running, study LIMIT 1`,
      ...[owner, ...padded(tried)],
    );
    if (study === undefined) return undefined;
    const id = Number(study.study);
    // What was chosen may have changed before it was locked.
    const [trial] = yield query(
      `SELECT * FROM trials
       WHERE study = ? AND external = 0 AND state = ${TrialState.PENDING}${notIn('name', except)}
         AND EXISTS (SELECT 1 FROM queued_studies WHERE queued_studies.study = trials.study AND ${claimable('queued_studies')})
       ORDER BY (epoch > 0) DESC, number LIMIT 1`,
      ...[id, ...padded(except)],
    );
    if (trial !== undefined) return asTrial(trial);
    tried.push(id);
  }
}

const mostOf = ({ maxOwnerRunningTrials = 2 ** 31 - 1 }: ClaimRequest): number => maxOwnerRunningTrials;

const notIn = (column: string, values: readonly Value[]): string =>
  values.length === 0
    ? ''
    : ` AND ${column} NOT IN (${padded(values)
        .map(() => '?')
        .join(', ')})`;

/** Some of them twice, so that there are few texts of statements: of 1, 2, 4, 8 … values. */
function padded(values: readonly Value[]): Value[] {
  const last = values.at(-1);
  if (last === undefined) return [];
  const size = 2 ** Math.ceil(Math.log2(values.length));
  return [...values, ...Array<Value>(size - values.length).fill(last)];
}

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
        `SELECT name, 0 AS silent FROM trials
         WHERE finished = 0 AND external = 0 AND state = ${TrialState.RUNNING} ORDER BY study, number`,
      )
    : yield query(
        `SELECT trials.name, now_ms() - workers.heard AS silent FROM claims
         JOIN trials ON trials.id = claims.trial JOIN workers ON workers.name = claims.worker
         WHERE workers.lease_until <= now_ms() ORDER BY claims.trial`,
      );
  return rows.map(({ name, silent }) => ({ trial: String(name), silentMs: Number(silent) }));
}

/** Whether it was so, and the trial waits again, or is PAUSED with its study. */
export function* interruptLost(name: string, everyone: boolean, why: string): Steps<boolean> {
  const trial = yield* trialToChange(name);
  if (trial.record.state !== TrialState.RUNNING) return false;
  if (!everyone) {
    yield lock(
      'SELECT name FROM workers WHERE name = (SELECT worker FROM claims WHERE trial = ?) FOR UPDATE',
      trial.id,
    );
    const passed = yield query(
      `SELECT 1 AS one FROM claims JOIN workers ON workers.name = claims.worker
       WHERE claims.trial = ? AND workers.lease_until <= now_ms()`,
      trial.id,
    );
    if (passed.length === 0) return false;
  }
  const { record: study } = yield* studyOf(trial);
  const interrupted = transitions.interruptTrial(trial.record, study.state, { why, crashed: false });
  if (interrupted.state === TrialState.PAUSED) yield setCause(trial, 'caller');
  yield* putTrial(trial, interrupted);
  yield change(
    `DELETE FROM workers WHERE lease_until <= now_ms()
       AND NOT EXISTS (SELECT 1 FROM claims WHERE claims.worker = workers.name)`,
  );
  return true;
}
