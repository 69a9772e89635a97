/** Outer steps in the SQLite store, and the events of studies, which refer to them. */

import { OuterStep, Trial } from '@glocal/proto/glocal/v1/study';
import * as transitions from '../lifecycle/transitions.ts';
import type { EventRecord, OuterStepRecord, WholeOuterStepRecord } from './records.ts';
import type { Bytes, KeptTrial, SqliteRecords } from './sqlite-records.ts';
import type { Claim, Page, PageRequest } from './store.ts';

export function addOuterStep(records: SqliteRecords, claim: Claim, step: WholeOuterStepRecord): Bytes {
  const { record, large } = step;
  const trial = records.claimed(claim);
  const outerStep = OuterStep.decode(record);
  if (hasOuterStep(records, trial, outerStep.index, step)) return Trial.encode(trial.record).finish();
  const advanced = transitions.advanceTrial(trial.record, outerStep);
  const id = records.insert(
    'INSERT INTO outer_steps (trial, number, record, large) VALUES (?, ?, ?, ?)',
    ...[trial.id, outerStep.index, record, large],
  );
  records.addEvent(trial.study, undefined, id);
  // The outer step has it from now on.
  if (trial.decision !== undefined) records.run('UPDATE trials SET decision = NULL WHERE id = ?', trial.id);
  if (trial.checkpoint > 0) records.run('UPDATE trials SET checkpoint = 0 WHERE id = ?', trial.id);
  return records.setTrial(trial.id, advanced);
}

/** Whether this very outer step is the trial's last: its worker may not have heard that it was stored. */
function hasOuterStep(
  records: SqliteRecords,
  { record: trial }: KeptTrial,
  index: number,
  step: WholeOuterStepRecord,
): boolean {
  if (index === 0 || index !== trial.outerStepsDone) return false;
  const kept = getOuterStep(records, trial.name, index);
  const isSame = (one: Bytes | undefined, other: Bytes) =>
    one !== undefined && Buffer.compare(one, other) === 0;
  return isSame(kept?.record, step.record) && isSame(kept?.large, step.large);
}

export function getOuterStep(
  records: SqliteRecords,
  trial: string,
  index: number,
): OuterStepRecord | undefined {
  const row = records.get(
    `SELECT record, large FROM outer_steps
     WHERE trial = (SELECT id FROM trials WHERE name = ?) AND number = ?`,
    trial,
    index,
  );
  return row && { record: row.record as Bytes, large: row.large as Bytes };
}

export function listOuterSteps(
  records: SqliteRecords,
  trial: string,
  page: PageRequest<number> & { readonly windows?: boolean },
): Page<OuterStepRecord> {
  const { limit, maxBytes = Number.POSITIVE_INFINITY, windows = false } = page;
  const sizes = records.statement(
    `SELECT id, length(record) AS bytes, length(large) AS large_bytes FROM outer_steps
     WHERE trial = (SELECT id FROM trials WHERE name = ?) AND number > ? ORDER BY number LIMIT ?`,
  );
  const listed: OuterStepRecord[] = [];
  let bytes = 0;
  for (const row of sizes.iterate(trial, page.after ?? 0, limit + 1)) {
    const lean = Number(row.bytes);
    const whole = lean + Number(row.large_bytes);
    const withLarge = windows && whole <= maxBytes;
    bytes += withLarge ? whole : lean;
    if (listed.length === limit || (listed.length > 0 && bytes > maxBytes)) {
      return { records: listed, more: true };
    }
    listed.push(outerStepOf(records, Number(row.id), withLarge));
  }
  return { records: listed, more: false };
}

function outerStepOf(records: SqliteRecords, id: number, withLarge: boolean): OuterStepRecord {
  const columns = withLarge ? 'record, large' : 'record';
  const row = records.get(`SELECT ${columns} FROM outer_steps WHERE id = ?`, id);
  return { record: row?.record as Bytes, large: row?.large as Bytes | undefined };
}

export function listEvents(
  records: SqliteRecords,
  study: string,
  page: PageRequest<number>,
): Page<EventRecord> {
  const list = `FROM events LEFT JOIN outer_steps ON outer_steps.id = events.outer_step
    WHERE study = (SELECT id FROM studies WHERE name = ?) AND sequence > ? ORDER BY sequence LIMIT ?`;
  const key = [study, page.after ?? 0];
  const sizes = `SELECT length(events.record) + ifnull(length(outer_steps.record), 0) AS bytes ${list}`;
  const { count, more } = records.plan(sizes, key, page);
  const columns = 'sequence, events.record AS record, outer_steps.record AS outer_step';
  const listed = records.all(`SELECT ${columns} ${list}`, ...key, count).map((row) => ({
    sequence: Number(row.sequence),
    record: row.record as Bytes,
    outerStep: (row.outer_step as Bytes | null) ?? undefined,
  }));
  return { records: listed, more };
}
