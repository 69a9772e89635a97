/** Studies and trials as rows: read, and written together with the events that tell of them. */

import { Decision, Study, StudyState, Trial, type TrialState } from '@glocal/proto/glocal/v1/study';
import type { StudyEvent } from '@glocal/proto/glocal/v1/study_service';
import { NotFoundError } from '../../resource/errors.ts';
import { studyOf as studyNameOf } from '../../resource/names.ts';
import { hasEnded, isLive, studyHasEnded } from '../../resource/states.ts';
import { StaleEpochError } from '../errors.ts';
import { encodeEvent } from '../records.ts';
import type { Claim } from '../store.ts';
import { type Bytes, change, lock, query, type Row, type Steps } from './query.ts';
import { type Moved, recount } from './queue.ts';

/** A record as it comes from a table, with the key that identifies it there. */
interface Kept<T> {
  readonly id: number;
  readonly record: T;
}
export type KeptStudy = Kept<Study>;
export interface KeptTrial extends Kept<Trial> {
  readonly study: number;
  readonly epoch: number;
  /** Outer step whose checkpoint a caller chose to go on from; 0 for the newest. */
  readonly checkpoint: number;
  /** The last that a driver made. */
  readonly decision: Decision | undefined;
}

/**
 * Whoever changes a study, a trial of it or their events has the study's row to itself: so the sequence of its events has
 * no gap, and it is settled by its last trial. What else is locked is locked after it.
 */
const lockStudy = (name: string) => lock('SELECT id FROM studies WHERE name = ? FOR UPDATE', name);

const NEXT_SEQUENCE = '(SELECT coalesce(max(sequence), 0) + 1 FROM events WHERE study = ?)';

/** Columns by their names, so that one more does not change what a prepared statement gives. */
const TRIAL = 'id, study, epoch, checkpoint, decision, record';

/** To be changed. @throws NotFoundError */
export function* study(name: string): Steps<KeptStudy> {
  yield lockStudy(name);
  const [row] = yield query('SELECT id, record FROM studies WHERE name = ?', name);
  if (row === undefined) throw new NotFoundError(name);
  return asStudy(row);
}

/** Of a trial. */
export function* studyOf(trial: KeptTrial): Steps<KeptStudy> {
  const [row] = yield query('SELECT id, record FROM studies WHERE id = ?', trial.study);
  return asStudy(row as Row);
}

/** To be changed, or its study. @throws NotFoundError */
export function* trial(name: string): Steps<KeptTrial> {
  yield lockStudy(studyNameOf(name));
  const [row] = yield query(`SELECT ${TRIAL} FROM trials WHERE name = ?`, name);
  if (row === undefined) throw new NotFoundError(name);
  return asTrial(row);
}

/** To be changed by whoever claimed it. @throws NotFoundError, StaleEpochError */
export function* claimed(claim: Claim): Steps<KeptTrial> {
  const found = yield* trial(claim.trial);
  expectEpoch(claim, found.epoch);
  return found;
}

/** The same without reading its record, which may be large. */
export function* claimedKey(claim: Claim): Steps<{ id: number; state: TrialState }> {
  yield lockStudy(studyNameOf(claim.trial));
  const [row] = yield query('SELECT id, epoch, state FROM trials WHERE name = ?', claim.trial);
  if (row === undefined) throw new NotFoundError(claim.trial);
  expectEpoch(claim, Number(row.epoch));
  return { id: Number(row.id), state: Number(row.state) as TrialState };
}

/** @throws StaleEpochError */
function expectEpoch(claim: Claim, epoch: number): void {
  if (epoch === claim.epoch) return;
  throw new StaleEpochError(
    `${claim.trial} was claimed with epoch ${epoch}, after the claim with epoch ${claim.epoch}`,
  );
}

/** Makes every claim before stale. */
export function* nextEpoch(trial: KeptTrial): Steps<number> {
  const epoch = trial.epoch + 1;
  yield change('UPDATE trials SET epoch = ? WHERE id = ?', epoch, trial.id);
  return epoch;
}

/** Trials of a study in the order of their creation. @param where what else must hold of them. */
export function* trialsOf(study: number, where?: string): Steps<KeptTrial[]> {
  const also = where === undefined ? '' : ` AND ${where}`;
  const rows = yield query(`SELECT ${TRIAL} FROM trials WHERE study = ?${also} ORDER BY number`, study);
  return rows.map(asTrial);
}

export function* putStudy(id: number, study: Study): Steps<Bytes> {
  const record = Study.encode(study).finish();
  const [state, active, ended] = stateColumns(study);
  yield change(
    'UPDATE studies SET record = ?, state = ?, active = ?, ended = ? WHERE id = ?',
    ...[record, state, active, ended, id],
  );
  yield addEvent(id, { $case: 'study', value: study });
  return record;
}

export function* putTrial(kept: KeptTrial, trial: Trial): Steps<Bytes> {
  const record = yield* tellAndSet(kept, trial);
  yield* recount(kept.study, [{ kept, trial }]);
  return record;
}

/** Of one study. */
export function* putTrials(study: number, moved: readonly Moved[]): Steps<void> {
  for (const { kept, trial } of moved) yield* tellAndSet(kept, trial);
  yield* recount(study, moved);
}

function* tellAndSet(kept: KeptTrial, trial: Trial): Steps<Bytes> {
  yield addEvent(kept.study, { $case: 'trial', value: trial });
  return yield* setTrial(kept, trial);
}

/** As the next claim of it, which makes every claim before stale. */
export function* putClaimed(kept: KeptTrial, trial: Trial): Steps<{ epoch: number; record: Bytes }> {
  const epoch = kept.epoch + 1;
  const record = yield* tellAndSet({ ...kept, epoch }, trial);
  return { epoch, record };
}

/** Without an event, in the state that it is in. */
export function* setTrial({ id, epoch }: KeptTrial, trial: Trial): Steps<Bytes> {
  const record = Trial.encode(trial).finish();
  yield change(
    'UPDATE trials SET record = ?, state = ?, finished = ?, epoch = ? WHERE id = ?',
    ...[record, trial.state, isFinished(trial), epoch, id],
  );
  // Who neither trains nor waits to proposes again.
  if (!isLive(trial)) yield dropProposal(id);
  return record;
}

/** Nothing is proposed to the driver of a trial any more. */
export const dropProposal = (trial: number) =>
  change(
    `UPDATE drives SET outer_step = NULL, deadline = NULL, record = NULL
     WHERE trial = ? AND record IS NOT NULL`,
    trial,
  );

/** The next event of a study, whose row is locked. */
export const addEvent = (study: number, event: StudyEvent['event']) =>
  change(
    `INSERT INTO events (study, sequence, record) VALUES (?, ${NEXT_SEQUENCE}, ?)`,
    ...[study, study, encodeEvent(new Date(), event)],
  );

/** The next event of a study, which tells of an outer step that is stored. @param number of the outer step. */
export const addOuterStepEvent = ({ id, study }: KeptTrial, number: number) =>
  change(
    `INSERT INTO events (study, sequence, outer_step, record)
     VALUES (?, ${NEXT_SEQUENCE}, (SELECT id FROM outer_steps WHERE trial = ? AND number = ?), ?)`,
    ...[study, study, id, number, encodeEvent(new Date(), undefined)],
  );

/** What a study's row has of it besides the record: state, whether it is ACTIVE, and when it ended, in milliseconds. */
export const stateColumns = (study: Study): [state: number, active: number, ended: number | null] => [
  study.state,
  study.state === StudyState.ACTIVE ? 1 : 0,
  studyHasEnded(study) ? (study.updateTime?.getTime() ?? 0) : null,
];

export const isFinished = (trial: Trial): number => (hasEnded(trial) ? 1 : 0);

const asStudy = (row: Row): KeptStudy => ({ id: Number(row.id), record: Study.decode(row.record as Bytes) });

export const asTrial = (row: Row): KeptTrial => ({
  id: Number(row.id),
  study: Number(row.study),
  epoch: Number(row.epoch),
  checkpoint: Number(row.checkpoint),
  decision: row.decision === null ? undefined : Decision.decode(row.decision as Bytes),
  record: Trial.decode(row.record as Bytes),
});
