/** What is kept of trials whose client trains: the reports of the window that is open, and their outer loop. */

import type { TrialEnding } from '../../lifecycle/transitions.ts';
import * as transitions from '../../lifecycle/transitions.ts';
import type { WholeOuterStepRecord } from '../records.ts';
import type { Claim } from '../store.ts';
import { endTrial } from './lifecycle.ts';
import { addOuterStep } from './outer-steps.ts';
import { type Bytes, change, query, type Steps } from './query.ts';
import { claimed } from './rows.ts';

/** The reports of a trial in the order in which they came, with the state after its last outer step. */
export interface EncodedReports {
  readonly reports: readonly Bytes[];
  readonly state: Bytes | undefined;
}

export function* addReport(claim: Claim, report: Bytes): Steps<void> {
  const { id, record } = yield* claimed(claim);
  transitions.expectRunning(record);
  yield change(
    `INSERT INTO reports (trial, number, record)
     VALUES (?, (SELECT coalesce(max(number), 0) + 1 FROM reports WHERE trial = ?), ?)`,
    ...[id, id, report],
  );
}

/** @param trial its key. */
export function* reportsOf(trial: number): Steps<EncodedReports> {
  const reports = yield query('SELECT record FROM reports WHERE trial = ? ORDER BY number', trial);
  const [loop] = yield query('SELECT state FROM external_loops WHERE trial = ?', trial);
  return {
    reports: reports.map(({ record }) => record as Bytes),
    state: loop?.state as Bytes | undefined,
  };
}

/** The window is decided: the next one starts from this state, without reports. */
export function* closeWindow(
  claim: Claim,
  outerStep: WholeOuterStepRecord,
  state: Bytes,
  ending: TrialEnding | undefined,
): Steps<{ study: Bytes; trial: Bytes } | undefined> {
  yield* addOuterStep(claim, outerStep);
  const { id } = yield* claimed(claim);
  yield change('DELETE FROM reports WHERE trial = ?', id);
  yield change(
    `INSERT INTO external_loops (trial, state) VALUES (?, ?)
     ON CONFLICT (trial) DO UPDATE SET state = excluded.state`,
    ...[id, state],
  );
  return ending && (yield* endTrial(claim, ending));
}
