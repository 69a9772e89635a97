/** What it means when PostgreSQL, or the way there, refuses. */

import { DatabaseError } from 'pg';
import { type Database, placeOf } from '../../config/database.ts';

/** SQLSTATEs, and classes of two letters, that say that nothing can be stored for now; with what to say. */
const UNAVAILABLE: Readonly<Record<string, string>> = {
  '08': 'the connection failed',
  '25006': 'it is read-only',
  '28': 'it refuses our user or password',
  '3D': 'the database is gone',
  '3F': 'its schema is gone',
  '42501': 'our user may not write there',
  '42P01': 'its tables are gone',
  '53': 'it has no room left',
  '53300': 'it has too many connections',
  '55P03': 'a lock was not given in time',
  '57014': 'it took longer than a statement may',
  '57P': 'it is shutting down or starting',
  '58': 'an input or output error',
};

/** Conflicts with another transaction: the same one, made again, may succeed. */
const CONFLICTS: readonly string[] = ['40001', '40P01', '23505'];

/** Of an error of the database itself; undefined for one of the way there. */
export const sqlState = (error: unknown): string | undefined =>
  error instanceof DatabaseError ? error.code : undefined;

export const isConflict = (error: unknown): boolean => CONFLICTS.includes(sqlState(error) ?? '');

/** Why nothing can be stored for now; undefined when the error is about something else, such as a statement of ours. */
export function unavailable(error: unknown, database: Database): string | undefined {
  const code = sqlState(error);
  if (code === undefined) return `the database at ${placeOf(database)} cannot be reached: ${reasonOf(error)}`;
  const why = UNAVAILABLE[code] ?? UNAVAILABLE[code.slice(0, 3)] ?? UNAVAILABLE[code.slice(0, 2)];
  return why && `the database at ${placeOf(database)} refuses: ${why} (${reasonOf(error)})`;
}

/** Of a connection that was not made, too: there the message may be empty, with the reasons inside. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return [...new Set(error.errors.map(reasonOf))].join(', ');
  }
  const { message, code } = error as { readonly message?: string; readonly code?: string };
  return message || code || String(error);
}
