/** What changes the states of studies and trials in the SQLite store, each within the transaction of its caller. */

import { Study, StudyState, type Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import * as studies from '../lifecycle/study-transitions.ts';
import type { Actor } from '../lifecycle/table.ts';
import * as trials from '../lifecycle/transitions.ts';
import { NotFoundError, StateError } from '../resource/errors.ts';
import { isLive, studyHasEnded, studyStateName, trialStateName } from '../resource/states.ts';
import { ActiveStudiesError, OwnerActiveStudiesError } from './errors.ts';
import type { Bytes, KeptStudy, KeptTrial, SqliteRecords } from './sqlite-records.ts';
import type { Claim, DeletedStudy, NewStudy, ResumeRequest } from './store.ts';

/** How many studies may be ACTIVE. */
type ActiveLimits = Pick<NewStudy, 'maxActiveStudies' | 'maxOwnerActiveStudies'>;
/** What goes on by itself does not wait for others. */
const UNLIMITED: ActiveLimits = { maxActiveStudies: Number.POSITIVE_INFINITY };

/** What waits or trains. */
export const LIVE = `finished = 0 AND state IN (${TrialState.PENDING}, ${TrialState.RUNNING})`;
/** What goes on by itself: that, and what waits for the DMD service. */
const GOES_ON = `finished = 0 AND (state IN (${TrialState.PENDING}, ${TrialState.RUNNING}) OR pause_cause = 'dmd')`;

export function cancelStudy(records: SqliteRecords, name: string): Bytes {
  const { id, record } = records.study(name);
  if (studyHasEnded(record)) return Study.encode(record).finish();
  const now = new Date();
  const cancelled = records.putStudy(id, studies.cancelStudy(record, now));
  for (const trial of records.trialsOf(id, 'finished = 0')) {
    records.putTrial(trial, trials.cancelTrial(trial.record, now));
  }
  return cancelled;
}

export function pauseStudy(records: SqliteRecords, name: string): Bytes {
  const { id, record } = records.study(name);
  let paused: Bytes = Study.encode(record).finish();
  if (record.state !== StudyState.PAUSED) {
    paused = records.putStudy(id, studies.pauseStudy(record, new Date()));
    for (const trial of records.trialsOf(id, `finished = 0 AND state = ${TrialState.PENDING}`)) {
      records.putTrial(trial, trials.holdBackTrial(trial.record));
    }
    // Nobody of ours trains these, and what was reported of their windows is kept.
    for (const trial of records.trialsOf(id, `external = 1 AND state = ${TrialState.RUNNING}`)) {
      records.putTrial(trial, trials.pauseTrial(trial.record, 'paused by a caller'));
    }
  }
  // Nothing goes on by itself, whatever it waited for.
  records.run(
    `UPDATE trials SET pause_cause = 'caller' WHERE study = ? AND finished = 0 AND state = ${TrialState.PAUSED}`,
    id,
  );
  return paused;
}

export function resumeStudy(
  records: SqliteRecords,
  { name, points, ...limits }: ResumeRequest,
): { study: Bytes; trials: string[] } {
  const study = records.study(name);
  const chosen = points.map(({ trial, checkpoint }) => ({
    trial: trialIn(records, study, trial),
    checkpoint,
  }));
  const resumed =
    points.length === 0
      ? records
          .trialsOf(study.id, `finished = 0 AND state = ${TrialState.PAUSED}`)
          .map((trial) => ({ trial, checkpoint: 0 }))
      : chosen.filter(({ trial }) => !isLive(trial.record));
  if (studyHasEnded(study.record) && resumed.length === 0) {
    throw new StateError(
      `${name} is ${studyStateName(study.record.state)} and cannot be resumed; trials of it that FAILED can, by their names`,
    );
  }
  for (const { trial } of resumed) expectResumable(trial);
  const after = activate(records, study, 'caller', limits);
  for (const { trial, checkpoint } of resumed) {
    const { record } = trial;
    const again =
      record.state === TrialState.FAILED ? trials.takeUpTrial(record) : trials.resumeTrial(record, 'caller');
    letGo(records, trial, again, checkpoint);
  }
  return { study: after, trials: resumed.map(({ trial }) => trial.record.name) };
}

/** Of a study that has ended. */
export function deleteStudy(records: SqliteRecords, name: string): void {
  const { id, record } = records.study(name);
  if (!studyHasEnded(record)) {
    throw new StateError(
      `${name} is ${studyStateName(record.state)} and cannot be deleted; cancel it first, or say force`,
    );
  }
  records.run('INSERT INTO deleted_studies (id, name, owner) VALUES (?, ?, ?)', id, name, record.owner);
  // What refers to others goes before them: each row is looked up once.
  records.run('DELETE FROM events WHERE study = ?', id);
  records.run('DELETE FROM studies WHERE id = ?', id);
}

export function getDeleted(records: SqliteRecords, name: string): DeletedStudy | undefined {
  const row = records.get('SELECT owner FROM deleted_studies WHERE name = ?', name);
  return row && { owner: String(row.owner) };
}

export function interruptTrial(
  records: SqliteRecords,
  claim: Claim,
  interruption: trials.Interruption,
): Bytes {
  const trial = records.claimed(claim);
  const study = records.studyOf(trial);
  const interrupted = trials.interruptTrial(trial.record, study.record.state, interruption);
  if (interrupted.state === TrialState.PAUSED) setCause(records, trial, 'caller');
  return records.putTrial(trial, interrupted);
}

export function pauseTrial(records: SqliteRecords, claim: Claim, { why, cause }: trials.Pause): Bytes {
  const trial = records.claimed(claim);
  const study = records.studyOf(trial);
  // A study that is PAUSED while a trial of it runs was paused by a caller.
  setCause(records, trial, study.record.state === StudyState.PAUSED ? 'caller' : cause);
  const paused = records.putTrial(trial, trials.pauseTrial(trial.record, why));
  settle(records, study);
  return paused;
}

/** Whether the trial waited for just that, and waits for a worker now. */
export function resumeTrial(
  records: SqliteRecords,
  name: string,
  cause: trials.PauseCause,
  by: Actor,
): boolean {
  const trial = records.trial(name);
  const row = records.get('SELECT pause_cause FROM trials WHERE id = ?', trial.id);
  if (trial.record.state !== TrialState.PAUSED || row?.pause_cause !== cause) return false;
  activate(records, records.studyOf(trial), by, UNLIMITED);
  letGo(records, trial, trials.resumeTrial(trial.record, by), 0);
  return true;
}

export function listPausedTrials(records: SqliteRecords, cause: trials.PauseCause): string[] {
  const rows = records.all(
    `SELECT name FROM trials WHERE finished = 0 AND state = ${TrialState.PAUSED} AND pause_cause = ? ORDER BY study, number`,
    cause,
  );
  return rows.map(({ name }) => String(name));
}

export function endTrial(
  records: SqliteRecords,
  claim: Claim,
  ending: trials.TrialEnding,
): { study: Bytes; trial: Bytes } {
  const trial = records.claimed(claim);
  const ended = records.putTrial(trial, trials.endTrial(trial.record, ending, new Date()));
  return { study: settle(records, records.studyOf(trial)), trial: ended };
}

/** What has become of a study by what happened to a trial of it. */
function settle(records: SqliteRecords, { id, record }: KeptStudy): Bytes {
  const settled =
    records.get(`SELECT 1 FROM trials WHERE study = ? AND ${GOES_ON} LIMIT 1`, id) === undefined
      ? studies.settleStudy(
          record,
          records.trialsOf(id).map((trial) => trial.record),
          new Date(),
        )
      : undefined;
  return settled === undefined ? Study.encode(record).finish() : records.putStudy(id, settled);
}

/** The study is ACTIVE from now on. @throws ActiveStudiesError, OwnerActiveStudiesError when too many are. */
function activate(records: SqliteRecords, { id, record }: KeptStudy, by: Actor, limits: ActiveLimits): Bytes {
  if (record.state === StudyState.ACTIVE) return Study.encode(record).finish();
  expectRoomForActive(records, record.owner, limits);
  const now = new Date();
  const next = studyHasEnded(record)
    ? studies.takeUpStudy(record, now)
    : studies.resumeStudy(record, by, now);
  return records.putStudy(id, next);
}

/** @throws ActiveStudiesError, OwnerActiveStudiesError */
export function expectRoomForActive(
  records: SqliteRecords,
  owner: string,
  { maxActiveStudies, maxOwnerActiveStudies = Number.POSITIVE_INFINITY }: ActiveLimits,
): void {
  const active = Number(records.get("SELECT n FROM counts WHERE what = 'active studies'")?.n);
  const own = Number(records.get('SELECT n FROM active_studies WHERE owner = ?', owner)?.n ?? 0);
  if (active >= maxActiveStudies) {
    throw new ActiveStudiesError(
      `${active} studies are active, as many as this server allows; wait or cancel one`,
    );
  }
  if (own >= maxOwnerActiveStudies) {
    throw new OwnerActiveStudiesError(
      `${own} of your studies are active, as many as this server allows one owner; wait or cancel one`,
    );
  }
}

function letGo(records: SqliteRecords, trial: KeptTrial, again: Trial, checkpoint: number): void {
  records.putTrial(trial, again);
  records.run('UPDATE trials SET pause_cause = NULL, checkpoint = ? WHERE id = ?', checkpoint, trial.id);
}

function setCause(records: SqliteRecords, { id }: KeptTrial, cause: trials.PauseCause): void {
  records.run('UPDATE trials SET pause_cause = ? WHERE id = ?', cause, id);
}

function trialIn(records: SqliteRecords, study: KeptStudy, name: string): KeptTrial {
  const trial = records.trial(name);
  if (trial.study !== study.id) throw new NotFoundError(name);
  return trial;
}

function expectResumable({ record: { name, state } }: KeptTrial): void {
  if (state === TrialState.PAUSED || state === TrialState.FAILED) return;
  throw new StateError(`${name} is ${trialStateName(state)} and cannot be resumed`);
}
