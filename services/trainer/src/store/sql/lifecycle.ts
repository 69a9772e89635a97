/** What changes the states of studies and trials, each within the transaction of its caller. */

import { Study, StudyState, type Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import * as studies from '../../lifecycle/study-transitions.ts';
import type { Actor } from '../../lifecycle/table.ts';
import * as trials from '../../lifecycle/transitions.ts';
import { NotFoundError, StateError } from '../../resource/errors.ts';
import { studyOf as studyNameOf } from '../../resource/names.ts';
import { isLive, studyHasEnded, studyStateName, trialStateName } from '../../resource/states.ts';
import type { Claim, DeletedStudy, ResumeRequest } from '../store.ts';
import { type ActiveLimits, countsOf, expectRoomForActive, lockLimits } from './limits.ts';
import { type Bytes, change, query, type Steps } from './query.ts';
import {
  claimed,
  type KeptStudy,
  type KeptTrial,
  putStudy,
  putTrial,
  putTrials,
  studyOf,
  study as studyToChange,
  trialsOf,
  trial as trialToChange,
} from './rows.ts';

/** What goes on by itself: what waits or trains, and what waits for the DMD service or a store of objects. */
const GOES_ON = `finished = 0 AND (state IN (${TrialState.PENDING}, ${TrialState.RUNNING}) OR pause_cause IN ('dmd', 'machine'))`;

export function* cancelStudy(name: string): Steps<Bytes> {
  const { id, record } = yield* studyToChange(name);
  if (studyHasEnded(record)) return Study.encode(record).finish();
  const now = new Date();
  const cancelled = yield* putStudy(id, studies.cancelStudy(record, now));
  const unfinished = yield* trialsOf(id, 'finished = 0');
  yield* putTrials(
    id,
    unfinished.map((kept) => ({ kept, trial: trials.cancelTrial(kept.record, now) })),
  );
  return cancelled;
}

export function* pauseStudy(name: string): Steps<Bytes> {
  const { id, record } = yield* studyToChange(name);
  let paused: Bytes = Study.encode(record).finish();
  if (record.state !== StudyState.PAUSED) {
    paused = yield* putStudy(id, studies.pauseStudy(record, new Date()));
    const waiting = yield* trialsOf(id, `finished = 0 AND state = ${TrialState.PENDING}`);
    yield* putTrials(
      id,
      waiting.map((kept) => ({ kept, trial: trials.holdBackTrial(kept.record) })),
    );
    // Nobody of ours trains these, and what was reported of their windows is kept.
    for (const trial of yield* trialsOf(id, `external = 1 AND state = ${TrialState.RUNNING}`)) {
      yield* putTrial(trial, trials.pauseTrial(trial.record, 'paused by a caller'));
    }
  }
  // Nothing goes on by itself, whatever it waited for.
  yield change(
    `UPDATE trials SET pause_cause = 'caller' WHERE study = ? AND finished = 0 AND state = ${TrialState.PAUSED}`,
    id,
  );
  return paused;
}

export function* resumeStudy({
  name,
  points,
  ...limits
}: ResumeRequest): Steps<{ study: Bytes; trials: string[] }> {
  const study = yield* studyToChange(name);
  const resumed = points.length === 0 ? yield* pausedIn(study) : yield* chosenOf(study, points);
  if (studyHasEnded(study.record) && resumed.length === 0) {
    throw new StateError(
      `${name} is ${studyStateName(study.record.state)} and cannot be resumed; trials of it that FAILED can, by their names`,
    );
  }
  for (const { trial } of resumed) expectResumable(trial);
  const after = yield* activate(study, 'caller', limits);
  for (const { trial, checkpoint } of resumed) {
    const { record } = trial;
    const again =
      record.state === TrialState.FAILED ? trials.takeUpTrial(record) : trials.resumeTrial(record, 'caller');
    yield* letGo(trial, again, checkpoint);
  }
  return { study: after, trials: resumed.map(({ trial }) => trial.record.name) };
}

/** A trial that is to go on, and the outer step whose checkpoint it goes on from; 0 for the newest. */
interface Resumed {
  readonly trial: KeptTrial;
  readonly checkpoint: number;
}

function* pausedIn({ id }: KeptStudy): Steps<Resumed[]> {
  const paused = yield* trialsOf(id, `finished = 0 AND state = ${TrialState.PAUSED}`);
  return paused.map((trial) => ({ trial, checkpoint: 0 }));
}

/** But for those that wait or run already. */
function* chosenOf(study: KeptStudy, points: ResumeRequest['points']): Steps<Resumed[]> {
  const chosen: Resumed[] = [];
  for (const { trial: name, checkpoint } of points) {
    const trial = yield* trialIn(study, name);
    if (!isLive(trial.record)) chosen.push({ trial, checkpoint });
  }
  return chosen;
}

/** Of a study that has ended. */
export function* deleteStudy(name: string): Steps<void> {
  const id = yield* deletable(name);
  // What refers to others goes before them: each row is looked up once.
  yield change('DELETE FROM events WHERE study = ?', id);
  yield change('DELETE FROM studies WHERE id = ?', id);
}

/** The key of a study that is about to be deleted, which is noted. @throws NotFoundError, StateError when it has not ended. */
export function* deletable(name: string): Steps<number> {
  const { id, record } = yield* studyToChange(name);
  if (!studyHasEnded(record)) {
    throw new StateError(
      `${name} is ${studyStateName(record.state)} and cannot be deleted; cancel it first, or say force`,
    );
  }
  yield change('INSERT INTO deleted_studies (id, name, owner) VALUES (?, ?, ?)', id, name, record.owner);
  return id;
}

export function* getDeleted(name: string): Steps<DeletedStudy | undefined> {
  const [row] = yield query('SELECT owner FROM deleted_studies WHERE name = ?', name);
  return row && { owner: String(row.owner) };
}

export function* interruptTrial(claim: Claim, interruption: trials.Interruption): Steps<Bytes> {
  const trial = yield* claimed(claim);
  const study = yield* studyOf(trial);
  const interrupted = trials.interruptTrial(trial.record, study.record.state, interruption);
  if (interrupted.state === TrialState.PAUSED) yield setCause(trial, 'caller');
  return yield* putTrial(trial, interrupted);
}

export function* pauseTrial(claim: Claim, { why, cause }: trials.Pause): Steps<Bytes> {
  const trial = yield* claimed(claim);
  const study = yield* studyOf(trial);
  const next = trials.pauseTrial(trial.record, why);
  // A study that is PAUSED while a trial of it runs was paused by a caller.
  yield setCause(trial, study.record.state === StudyState.PAUSED ? 'caller' : cause);
  const paused = yield* putTrial(trial, next);
  yield* settle(study);
  return paused;
}

/** Whether the trial waited for just that, and waits for a worker now. */
export function* resumeTrial(name: string, cause: trials.PauseCause, by: Actor): Steps<boolean> {
  const trial = yield* trialToChange(name);
  const [row] = yield query('SELECT pause_cause FROM trials WHERE id = ?', trial.id);
  if (trial.record.state !== TrialState.PAUSED || row?.pause_cause !== cause) return false;
  yield* activate(yield* studyOf(trial), by);
  yield* letGo(trial, trials.resumeTrial(trial.record, by), 0);
  return true;
}

export function* listPausedTrials(cause: trials.PauseCause): Steps<string[]> {
  const rows = yield query(
    `SELECT name FROM trials WHERE finished = 0 AND state = ${TrialState.PAUSED} AND pause_cause = ? ORDER BY study, number`,
    cause,
  );
  return rows.map(({ name }) => String(name));
}

export function* endTrial(claim: Claim, ending: trials.TrialEnding): Steps<{ study: Bytes; trial: Bytes }> {
  const trial = yield* claimed(claim);
  const ended = yield* putTrial(trial, trials.endTrial(trial.record, ending, new Date()));
  return { study: yield* settle(yield* studyOf(trial)), trial: ended };
}

/** What has become of a study by what happened to a trial of it. */
export function* settle({ id, record }: KeptStudy): Steps<Bytes> {
  const goesOn = yield query(`SELECT 1 AS one FROM trials WHERE study = ? AND ${GOES_ON} LIMIT 1`, id);
  if (goesOn.length > 0) return Study.encode(record).finish();
  const all = (yield* trialsOf(id)).map((trial) => trial.record);
  const settled = studies.settleStudy(record, all, new Date());
  return settled === undefined ? Study.encode(record).finish() : yield* putStudy(id, settled);
}

/**
 * The study is ACTIVE from now on.
 * @param limits undefined for what goes on by itself, which does not wait for others.
 * @throws ActiveStudiesError, OwnerActiveStudiesError when too many are.
 */
function* activate({ id, record }: KeptStudy, by: Actor, limits?: ActiveLimits): Steps<Bytes> {
  if (record.state === StudyState.ACTIVE) return Study.encode(record).finish();
  if (limits !== undefined) {
    yield lockLimits();
    expectRoomForActive((yield* countsOf([record.owner])).of(record.owner), limits);
  }
  const now = new Date();
  const next = studyHasEnded(record)
    ? studies.takeUpStudy(record, now)
    : studies.resumeStudy(record, by, now);
  return yield* putStudy(id, next);
}

function* letGo(trial: KeptTrial, again: Trial, checkpoint: number): Steps<void> {
  yield* putTrial(trial, again);
  yield change('UPDATE trials SET pause_cause = NULL, checkpoint = ? WHERE id = ?', checkpoint, trial.id);
}

export const setCause = ({ id }: KeptTrial, cause: trials.PauseCause) =>
  change('UPDATE trials SET pause_cause = ? WHERE id = ?', cause, id);

function* trialIn({ record: study }: KeptStudy, name: string): Steps<KeptTrial> {
  if (studyNameOf(name) !== study.name) throw new NotFoundError(name);
  return yield* trialToChange(name);
}

function expectResumable({ record: { name, state } }: KeptTrial): void {
  if (state === TrialState.PAUSED || state === TrialState.FAILED) return;
  throw new StateError(`${name} is ${trialStateName(state)} and cannot be resumed`);
}
