/**
 * What there is to claim, counted: of each study that a server trains, and of each owner, how many trials wait and how many
 * run. So whose turn it is does not depend on how many trials there are. What claims them is `claims.ts`.
 */

import { type Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import { change, query, type Steps } from './query.ts';
import type { KeptTrial } from './rows.ts';

/** What a trial becomes. */
export interface Moved {
  readonly kept: KeptTrial;
  readonly trial: Trial;
}

interface Counts {
  readonly waiting: number;
  /** Of these, they that were claimed before. */
  readonly again: number;
  readonly running: number;
}

/** Has a trial that may be claimed, for its index, too. */
export const claimable = (table: string): string =>
  `${table}.waiting > 0 AND ${table}.running < ${table}.max_running`;

/** A new study, with so many trials that wait. @param maxRunning trials of it at a time; 0 for any number. */
export function* enqueue(
  study: number,
  {
    owner,
    priority,
    maxRunning,
    waiting,
  }: { owner: string; priority: number; maxRunning: number; waiting: number },
): Steps<void> {
  yield change(
    `INSERT INTO queued_studies (study, owner, priority, max_running, waiting, again, running)
     VALUES (?, ?, ?, ?, ?, 0, 0)`,
    ...[study, owner, priority, maxRunning || 2 ** 31 - 1, waiting],
  );
  yield change(
    `INSERT INTO queued_owners (owner, waiting, running, served) VALUES (?, ?, 0, 0)
     ON CONFLICT (owner) DO UPDATE SET waiting = queued_owners.waiting + excluded.waiting`,
    ...[owner, waiting],
  );
}

/** Counts trials of one study anew that have changed, and ends the claims of those that do not run any more. */
export function* recount(study: number, moved: readonly Moved[]): Steps<void> {
  const sum = { waiting: 0, again: 0, running: 0 };
  for (const { kept, trial } of moved) {
    const before = countsOf(kept, kept.record);
    const after = countsOf(kept, trial);
    sum.waiting += after.waiting - before.waiting;
    sum.again += after.again - before.again;
    sum.running += after.running - before.running;
    if (before.running > after.running) yield change('DELETE FROM claims WHERE trial = ?', kept.id);
  }
  const { waiting, again, running } = sum;
  if (waiting === 0 && again === 0 && running === 0) return;
  yield change(
    'UPDATE queued_studies SET waiting = waiting + ?, again = again + ?, running = running + ? WHERE study = ?',
    ...[waiting, again, running, study],
  );
  yield change(
    `UPDATE queued_owners SET waiting = waiting + ?, running = running + ?
     WHERE owner = (SELECT owner FROM queued_studies WHERE study = ?)`,
    ...[waiting, running, study],
  );
}

const countsOf = ({ epoch }: KeptTrial, { state }: Trial): Counts => ({
  waiting: state === TrialState.PENDING ? 1 : 0,
  again: state === TrialState.PENDING && epoch > 0 ? 1 : 0,
  running: state === TrialState.RUNNING ? 1 : 0,
});

/** It is an owner's turn, to the end of this transaction, unless as many trials run as may. Tells which. */
export function* lockOwner(owner: string, maxRunning: number): Steps<boolean> {
  const rows = yield query(
    `UPDATE queued_owners SET served = (SELECT max(served) + 1 FROM queued_owners)
     WHERE owner = ? AND running < ? RETURNING owner`,
    ...[owner, maxRunning],
  );
  return rows.length > 0;
}
