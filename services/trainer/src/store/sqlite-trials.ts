/** Trials in the SQLite store: whose they are to train, what drives them, and which there are. */

import { Decision, OuterStep, Trial } from '@glocal/proto/glocal/v1/study';
import { awaitDecision as awaiting, takeDecision } from '../lifecycle/decisions.ts';
import * as transitions from '../lifecycle/transitions.ts';
import { LIVE } from './sqlite-lifecycle.ts';
import { getOuterStep } from './sqlite-outer-steps.ts';
import type { Bytes, KeptTrial, SqliteRecords } from './sqlite-records.ts';
import type { SqliteReports } from './sqlite-reports.ts';
import type { Claim, Page, PageRequest } from './store.ts';

/** A claimed trial in encoded records. */
export interface EncodedStartedTrial {
  readonly epoch: number;
  readonly checkpoint: number;
  readonly study: Bytes;
  readonly trial: Bytes;
}

/** A trial whose client trains, in encoded records. */
export interface EncodedReportedTrial {
  readonly epoch: number;
  readonly study: Bytes;
  readonly trial: Bytes;
  readonly reports: readonly Bytes[];
  readonly state: Bytes | undefined;
}

export function startTrial(records: SqliteRecords, name: string): EncodedStartedTrial {
  const trial = records.trial(name);
  const started = records.putTrial(trial, transitions.startTrial(trial.record, new Date()));
  const { checkpoint } = trial;
  return { epoch: nextEpoch(records, trial), checkpoint, study: studyOf(records, trial), trial: started };
}

export function startReporting(
  records: SqliteRecords,
  reports: SqliteReports,
  name: string,
): EncodedReportedTrial {
  const trial = records.trial(name);
  const reported = transitions.startReporting(trial.record, new Date());
  return {
    epoch: nextEpoch(records, trial),
    study: studyOf(records, trial),
    trial: reported === trial.record ? Trial.encode(reported).finish() : records.putTrial(trial, reported),
    ...reports.of(trial.id),
  };
}

export function addReport(records: SqliteRecords, reports: SqliteReports, claim: Claim, report: Bytes): void {
  const trial = records.claimed(claim);
  transitions.expectRunning(trial.record);
  reports.add(trial.id, report);
}

export function describeRuntime(records: SqliteRecords, claim: Claim, runtime: transitions.Runtime): Bytes {
  const trial = records.claimed(claim);
  return records.putTrial(trial, transitions.describeRuntime(trial.record, runtime));
}

export function awaitDecision(records: SqliteRecords, claim: Claim, outerStep: number): Bytes {
  const trial = records.claimed(claim);
  return records.putTrial(trial, awaiting(trial.record, trial.decision, outerStep));
}

export function addDecision(records: SqliteRecords, name: string, decision: Bytes): Bytes {
  const trial = records.trial(name);
  const decided = takeDecision(trial.record, trial.decision, Decision.decode(decision));
  records.run('UPDATE trials SET decision = ? WHERE id = ?', decision, trial.id);
  return decided === trial.record ? Trial.encode(decided).finish() : records.putTrial(trial, decided);
}

export function getDecision(records: SqliteRecords, trial: string, outerStep: number): Bytes | undefined {
  const stored = getOuterStep(records, trial, outerStep);
  if (stored !== undefined) {
    const decision = OuterStep.decode(stored.record).update?.decision;
    return decision && Decision.encode(decision).finish();
  }
  const row = records.get('SELECT decision FROM trials WHERE name = ?', trial);
  const record = row?.decision as Bytes | undefined;
  return record && Decision.decode(record).outerStep === outerStep ? record : undefined;
}

export function getTrial(records: SqliteRecords, name: string): Bytes | undefined {
  return records.get('SELECT record FROM trials WHERE name = ?', name)?.record as Bytes | undefined;
}

export function listTrials(records: SqliteRecords, study: string, page: PageRequest<number>): Page<Bytes> {
  const list = `FROM trials WHERE study = (SELECT id FROM studies WHERE name = ?) AND number > ? ORDER BY number LIMIT ?`;
  return records.page(list, [study, page.after ?? -1], page);
}

/** Those that a server trains. */
export function listLiveTrials(records: SqliteRecords): { epoch: number; trial: Bytes }[] {
  const rows = records.all(
    `SELECT epoch, record FROM trials WHERE ${LIVE} AND external = 0 ORDER BY study, number`,
  );
  return rows.map(({ epoch, record }) => ({ epoch: Number(epoch), trial: record as Bytes }));
}

function studyOf(records: SqliteRecords, trial: KeptTrial): Bytes {
  return records.get('SELECT record FROM studies WHERE id = ?', trial.study)?.record as Bytes;
}

/** Makes every claim before stale. */
function nextEpoch(records: SqliteRecords, trial: KeptTrial): number {
  const epoch = trial.epoch + 1;
  records.run('UPDATE trials SET epoch = ? WHERE id = ?', epoch, trial.id);
  return epoch;
}
