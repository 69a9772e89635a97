/**
 * What there is to claim, counted: of each study that a server trains, and of each owner, how many trials wait and how many
 * run. So whose turn it is does not depend on how many trials there are. What claims them is `claims.ts`.
 */

import { type Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import { change, insertAll, query, RaceLostError, type Steps } from './query.ts';
import type { KeptTrial } from './rows.ts';

/** As if there were no limit. */
export const NO_LIMIT = 2 ** 31 - 1;

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

/** A new study, with so many trials that wait. */
export interface Enqueued {
  /** Its name. */
  readonly study: string;
  readonly owner: string;
  readonly priority: number;
  /** Trials of it at a time; 0 for any number. */
  readonly maxRunning: number;
  readonly waiting: number;
}

/** @param key is the key of a study, with a `?` for its name. */
export function* enqueueAll(all: readonly Enqueued[], key: string): Steps<void> {
  yield* insertAll(
    'INSERT INTO queued_studies (study, owner, priority, max_running, waiting, again, running)',
    `(${key}, ?, ?, ?, ?, 0, 0)`,
    all.map(({ study, owner, priority, maxRunning, waiting }) => [
      ...[study, owner, priority, maxRunning || NO_LIMIT, waiting],
    ]),
  );
  const owners = new Map<string, number>();
  for (const { owner, waiting } of all) owners.set(owner, (owners.get(owner) ?? 0) + waiting);
  // In one order, so that two transactions do not wait for each other.
  for (const [owner, waiting] of [...owners].sort()) {
    yield change(
      `INSERT INTO queued_owners (owner, waiting, running, served) VALUES (?, ?, 0, 0)
       ON CONFLICT (owner) DO UPDATE SET waiting = queued_owners.waiting + excluded.waiting`,
      ...[owner, waiting],
    );
  }
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

/**
 * Counts a trial that waited and runs now, which is its owner's turn. Last of all: claims of one owner wait for each other from here to
 * the commit.
 * @throws RaceLostError when as many trials of the owner run as may, since others were quicker.
 */
export function* countStarted(
  { study, epoch }: KeptTrial,
  owner: string,
  maxRunning = NO_LIMIT,
): Steps<void> {
  yield change(
    'UPDATE queued_studies SET waiting = waiting - 1, again = again - ?, running = running + 1 WHERE study = ?',
    ...[epoch > 0 ? 1 : 0, study],
  );
  const counted = `UPDATE queued_owners SET waiting = waiting - 1, running = running + 1,
      served = (SELECT max(served) + 1 FROM queued_owners)
    WHERE owner = ?`;
  if (maxRunning === NO_LIMIT) {
    yield change(counted, owner);
    return;
  }
  const rows = yield query(`${counted} AND running < ? RETURNING owner`, ...[owner, maxRunning]);
  if (rows.length === 0) throw new RaceLostError(`${maxRunning} trials of ${owner} run already`);
}
