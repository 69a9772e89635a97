/** Outer steps, and the events of studies, which refer to them. */

import { Trial } from '@glocal/proto/glocal/v1/study';
import * as transitions from '../../lifecycle/transitions.ts';
import type { EventRecord, NewOuterStepRecord, OuterStepRecord } from '../records.ts';
import type { Claim, OuterStepsOfClaim, Page, PageRequest } from '../store.ts';
import { fit, planPage } from './pages.ts';
import { type Bytes, change, query, type Steps } from './query.ts';
import { addOuterStepEvent, claimed, type KeptTrial, setTrial } from './rows.ts';

export function* addOuterStep(claim: Claim, step: NewOuterStepRecord): Steps<Bytes> {
  const { record, large, progress } = step;
  const trial = yield* claimed(claim);
  if (yield* hasOuterStep(trial, step)) return Trial.encode(trial.record).finish();
  const advanced = transitions.advanceTrial(trial.record, progress);
  yield change(
    'INSERT INTO outer_steps (trial, number, epoch, record, large) VALUES (?, ?, ?, ?, ?)',
    ...[trial.id, progress.index, claim.epoch, record, large],
  );
  yield addOuterStepEvent(trial, progress.index);
  // The outer step has it from now on.
  if (trial.decision !== undefined) yield change('UPDATE trials SET decision = NULL WHERE id = ?', trial.id);
  if (trial.checkpoint > 0) yield change('UPDATE trials SET checkpoint = 0 WHERE id = ?', trial.id);
  return yield* setTrial(trial, advanced);
}

/** Who has stored the outer steps of a trial. */
export function* listOuterStepEpochs(trial: string): Steps<OuterStepsOfClaim[]> {
  const rows = yield query(
    `SELECT epoch, min(number) AS first FROM outer_steps
     WHERE trial = (SELECT id FROM trials WHERE name = ?) GROUP BY epoch ORDER BY epoch`,
    trial,
  );
  return rows.map(({ epoch, first }) => ({ epoch: Number(epoch), first: Number(first) }));
}

/** Whether this very outer step is the trial's last: its worker may not have heard that it was stored. */
function* hasOuterStep({ record: trial }: KeptTrial, step: NewOuterStepRecord): Steps<boolean> {
  const { index } = step.progress;
  if (index === 0 || index !== trial.outerStepsDone) return false;
  const kept = yield* getOuterStep(trial.name, index);
  const isSame = (one: Bytes | undefined, other: Bytes) =>
    one !== undefined && Buffer.compare(one, other) === 0;
  return isSame(kept?.record, step.record) && isSame(kept?.large, step.large);
}

export function* getOuterStep(trial: string, index: number): Steps<OuterStepRecord | undefined> {
  const [row] = yield query(
    `SELECT record, large FROM outer_steps
     WHERE trial = (SELECT id FROM trials WHERE name = ?) AND number = ?`,
    ...[trial, index],
  );
  if (row === undefined) return undefined;
  const rows = yield* reportedRows(trial, index);
  return { record: row.record as Bytes, large: row.large as Bytes, rows };
}

export function* listOuterSteps(
  trial: string,
  page: PageRequest<number> & { readonly windows?: boolean },
): Steps<Page<OuterStepRecord>> {
  const { limit, after = 0, maxBytes = Number.MAX_SAFE_INTEGER, windows = false } = page;
  const list = `FROM outer_steps
    WHERE trial = (SELECT id FROM trials WHERE name = ?) AND number > ? ORDER BY number LIMIT ?`;
  const sizes = yield query(
    `SELECT length(record) AS bytes${windows ? `, length(large) + ${REPORTED_BYTES} AS large_bytes` : ''} ${list}`,
    ...[trial, after, limit + 1],
  );
  const { count, more } = fit(
    sizes,
    ({ bytes, large_bytes }) => {
      const whole = Number(bytes) + Number(large_bytes);
      return windows && whole <= maxBytes ? whole : Number(bytes);
    },
    page,
  );
  if (count === 0) return { records: [], more };
  if (!windows) {
    const rows = yield query(`SELECT record ${list}`, ...[trial, after, count]);
    return { records: rows.map(({ record }) => ({ record: record as Bytes })), more };
  }
  const rows = yield query(
    `SELECT number, record, ${REPORTED_BYTES} AS reported_bytes, CASE
       WHEN length(record) + length(large) + ${REPORTED_BYTES} <= CAST(? AS bigint) THEN large
     END AS large ${list}`,
    ...[maxBytes, trial, after, count],
  );
  const records: OuterStepRecord[] = [];
  for (const { number, record, large, reported_bytes } of rows) {
    const isWhole = large !== null;
    records.push({
      record: record as Bytes,
      large: isWhole ? (large as Bytes) : undefined,
      rows: isWhole && Number(reported_bytes) > 0 ? yield* reportedRows(trial, Number(number)) : [],
    });
  }
  return { records, more };
}

/** Of an outer step, what a client has reported of its window before the last. */
const REPORTED_BYTES = `(SELECT coalesce(sum(length(hypergradients)), 0) FROM reports
  WHERE reports.trial = outer_steps.trial AND reports.outer_step = outer_steps.number)`;

function* reportedRows(trial: string, outerStep: number): Steps<Bytes[]> {
  const rows = yield query(
    `SELECT hypergradients FROM reports
     WHERE trial = (SELECT id FROM trials WHERE name = ?) AND outer_step = ? ORDER BY number`,
    ...[trial, outerStep],
  );
  return rows.map(({ hypergradients }) => hypergradients as Bytes);
}

export function* listEvents(study: string, page: PageRequest<number>): Steps<Page<EventRecord>> {
  const list = `FROM events LEFT JOIN outer_steps ON outer_steps.id = events.outer_step
    WHERE study = (SELECT id FROM studies WHERE name = ?) AND sequence > ? ORDER BY sequence LIMIT ?`;
  const key = [study, page.after ?? 0];
  const sizes = `SELECT length(events.record) + coalesce(length(outer_steps.record), 0) AS bytes ${list}`;
  const { count, more } = yield* planPage(sizes, key, page);
  if (count === 0) return { records: [], more };
  const columns = 'sequence, events.record AS record, outer_steps.record AS outer_step';
  const rows = yield query(`SELECT ${columns} ${list}`, ...key, count);
  const records = rows.map((row) => ({
    sequence: Number(row.sequence),
    record: row.record as Bytes,
    outerStep: (row.outer_step as Bytes | null) ?? undefined,
  }));
  return { records, more };
}
