/**
 * What is kept of trials whose client trains: what was reported, and their outer loop. The rows stay where they are when their window is
 * decided: the outer step has them from there.
 */

import { TrialState } from '@glocal/proto/glocal/v1/study';
import * as transitions from '../../lifecycle/transitions.ts';
import { StateError } from '../../resource/errors.ts';
import type { NewOuterStepRecord } from '../records.ts';
import type { Claim, WindowEnd } from '../store.ts';
import { endTrial } from './lifecycle.ts';
import { addOuterStep } from './outer-steps.ts';
import { type Bytes, change, query, type Steps } from './query.ts';
import { claimed, claimedKey } from './rows.ts';

/** A report in two encoded halves. */
export interface ReportRecord {
  /** Index of the outer step. */
  readonly outerStep: number;
  /** How many of this window came before it. */
  readonly number: number;
  /** A Report without its rows. */
  readonly record: Bytes;
  /** Its rows with respect to the coordinate phi. */
  readonly hypergradients: Bytes;
}

/** A report that is kept, in two encoded halves. */
export interface KeptReportRecord extends Pick<ReportRecord, 'record' | 'hypergradients'> {
  /** Whether the rows are with respect to the values. */
  readonly natural: boolean;
}

/** The reports of the open window of a trial in the order in which they came, with the state after its last outer step. */
export interface EncodedReports {
  readonly reports: readonly KeptReportRecord[];
  readonly state: Bytes | undefined;
}

/** @param reports of one outer step, one after the other. */
export function* addReports(claim: Claim, reports: readonly ReportRecord[]): Steps<void> {
  const { id, state } = yield* claimedKey(claim);
  if (state !== TrialState.RUNNING) transitions.expectRunning((yield* claimed(claim)).record);
  const [first] = reports;
  if (first === undefined) return;
  yield* expectReports(id, first.outerStep, first.number);
  for (const { outerStep, number, record, hypergradients } of reports) {
    yield change(
      'INSERT INTO reports (trial, outer_step, number, "natural", record, hypergradients) VALUES (?, ?, ?, 0, ?, ?)',
      ...[id, outerStep, number, record, hypergradients],
    );
  }
}

/** @param trial its key. */
export function* reportsOf(trial: number, outerStep: number): Steps<EncodedReports> {
  const rows = yield query(
    'SELECT "natural", record, hypergradients FROM reports WHERE trial = ? AND outer_step = ? ORDER BY number',
    ...[trial, outerStep],
  );
  const [loop] = yield query('SELECT state FROM external_loops WHERE trial = ?', trial);
  const reports = rows.map(({ natural, record, hypergradients }) => ({
    natural: Number(natural) === 1,
    record: record as Bytes,
    hypergradients: hypergradients as Bytes,
  }));
  return { reports, state: loop?.state as Bytes | undefined };
}

/** The window is decided: the next one starts from this state. */
export function* closeWindow(
  claim: Claim,
  outerStep: NewOuterStepRecord,
  state: Bytes,
  { kept = 0, ending }: WindowEnd,
): Steps<{ study: Bytes; trial: Bytes } | undefined> {
  yield* addOuterStep(claim, outerStep);
  const { id } = yield* claimedKey(claim);
  const { index } = outerStep.progress;
  if (kept > 0) yield* expectReports(id, index, kept);
  else yield change('DELETE FROM reports WHERE trial = ? AND outer_step = ?', id, index);
  yield change(
    `INSERT INTO external_loops (trial, state) VALUES (?, ?)
     ON CONFLICT (trial) DO UPDATE SET state = excluded.state`,
    ...[id, state],
  );
  return ending && (yield* endTrial(claim, ending));
}

/** @throws StateError when there are not as many: one was refused, or others are in their place. */
function* expectReports(trial: number, outerStep: number, count: number): Steps<void> {
  const [last] = yield query(
    'SELECT max(number) AS number FROM reports WHERE trial = ? AND outer_step = ?',
    ...[trial, outerStep],
  );
  const kept = Number(last?.number ?? -1) + 1;
  if (kept === count) return;
  throw new StateError(`${kept} reports of outer step ${outerStep} are kept, and not ${count}`);
}
