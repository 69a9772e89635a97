/**
 * Deleting a study whatever its size, though a statement has its time-out: at once what anybody can see of it, and later, a little in each
 * transaction, what belongs to nobody then: outer steps, reports and events, which there may be millions of. What is left of it is
 * in `deleted_rows`, so that any process goes on with it.
 */

import { deletable } from '../sql/lifecycle.ts';
import { change, lockedQuery, query, type Row, type Steps } from '../sql/query.ts';

/** Rows in one transaction. */
export const DELETED_TOGETHER = 1_000;

/** @see Store.deleteStudy */
export function* deleteStudy(name: string): Steps<void> {
  const id = yield* deletable(name);
  yield change(
    'INSERT INTO deleted_rows (study, trial) SELECT study, id FROM trials WHERE study = ? ORDER BY id',
    id,
  );
  yield change('INSERT INTO deleted_rows (study) VALUES (?)', id);
  yield change('DELETE FROM studies WHERE id = ?', id);
}

/** Whether there may be more. */
export function* deleteSome(): Steps<boolean> {
  let room = DELETED_TOGETHER;
  while (room > 0) {
    const [next] = yield lockedQuery(
      'FOR UPDATE SKIP LOCKED',
      'SELECT id, study, trial FROM deleted_rows ORDER BY id LIMIT 1',
    );
    if (next === undefined) return false;
    const deleted = yield* deleteOf(next, room);
    if (deleted < room) yield change('DELETE FROM deleted_rows WHERE id = ?', next.id as string);
    room -= Math.max(deleted, 1);
  }
  return true;
}

/** So many rows at most of a trial, or the events of a study. */
function* deleteOf({ study, trial }: Row, most: number): Steps<number> {
  if (trial === null || trial === undefined) {
    return yield* deleteFirst('events', 'study', study as string, 'sequence', most);
  }
  const steps = yield* deleteFirst('outer_steps', 'trial', trial, 'number', most);
  if (steps === most) return steps;
  return steps + (yield* deleteFirst('reports', 'trial', trial, 'id', most - steps));
}

function* deleteFirst(
  table: string,
  owner: string,
  key: Row[string] & {},
  order: string,
  most: number,
): Steps<number> {
  const rows = yield query(
    `DELETE FROM ${table} WHERE ${owner} = ? AND ${order} IN (
       SELECT ${order} FROM ${table} WHERE ${owner} = ? ORDER BY ${order} LIMIT ?) RETURNING 1 AS one`,
    ...[key, key, most],
  );
  return rows.length;
}
