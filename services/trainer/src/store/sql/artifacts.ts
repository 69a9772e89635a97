/** Artifacts in encoded records, and which studies name them, so that none loses what it trains on. */

import { NotFoundError, StateError } from '../../resource/errors.ts';
import type { Page, PageRequest } from '../store.ts';
import { readPage } from './pages.ts';
import { type Bytes, change, lock, MOST, query, type Steps, type Value } from './query.ts';

/** A new artifact in an encoded record. */
export interface EncodedArtifact {
  readonly name: string;
  readonly owner: string;
  readonly digest: Bytes;
  readonly size: bigint;
  readonly description: string;
  readonly record: Bytes;
}

/** Which artifacts to list. */
export type ArtifactPage = PageRequest<string> & { readonly owner: string | undefined };

/** Whether it was not deleted. */
const IS_THERE = 'digest IS NOT NULL';

/** None is deleted while a study comes to name it. */
const lockArtifact = (name: string) => lock('SELECT id FROM artifacts WHERE name = ? FOR UPDATE', name);

export function* createArtifact(artifact: EncodedArtifact): Steps<{ record: Bytes; created: boolean }> {
  const { name, owner, digest, size, description, record } = artifact;
  const [before] = yield query(
    'SELECT record FROM artifacts WHERE owner = ? AND digest = ?',
    ...[owner, digest],
  );
  if (before !== undefined) return { record: before.record as Bytes, created: false };
  yield change(
    'INSERT INTO artifacts (name, owner, digest, size, description, record) VALUES (?, ?, ?, ?, ?, ?)',
    ...[name, owner, digest, size, description, record],
  );
  return { record, created: true };
}

export function* getArtifact(name: string): Steps<{ record: Bytes; description: string } | undefined> {
  const [row] = yield query(`SELECT record, description FROM artifacts WHERE name = ? AND ${IS_THERE}`, name);
  return row && { record: row.record as Bytes, description: String(row.description) };
}

export function* listArtifacts(page: ArtifactPage): Steps<Page<Bytes>> {
  const key: Value[] = [page.after ?? null];
  const owned = page.owner === undefined ? '' : ' AND owner = ?';
  if (page.owner !== undefined) key.push(page.owner);
  const where = `${IS_THERE} AND id < coalesce((SELECT id FROM artifacts WHERE name = ?), ${MOST})${owned}`;
  return yield* readPage({ table: 'artifacts', where, by: ['id DESC'] }, key, page);
}

export function* artifactBytes(owner: string): Steps<bigint> {
  const [row] = yield query(
    'SELECT CAST(coalesce(sum(size), 0) AS bigint) AS bytes FROM artifacts WHERE owner = ?',
    owner,
  );
  return BigInt(Number(row?.bytes));
}

export function* deletedArtifactOwner(name: string): Steps<string | undefined> {
  const [row] = yield query('SELECT owner FROM artifacts WHERE name = ? AND digest IS NULL', name);
  return row && String(row.owner);
}

/** @throws StateError */
export function* deleteArtifact(name: string): Steps<void> {
  yield lockArtifact(name);
  const [user] = yield query(
    `SELECT studies.name AS name FROM artifact_uses
       JOIN artifacts ON artifacts.id = artifact JOIN studies ON studies.id = study
     WHERE artifacts.name = ? AND EXISTS (SELECT 1 FROM trials WHERE study = studies.id AND finished = 0) LIMIT 1`,
    name,
  );
  if (user !== undefined) {
    throw new StateError(
      `${name} cannot be deleted: ${user.name}, which names it, has not ended; cancel it first`,
    );
  }
  yield change('DELETE FROM artifact_uses WHERE artifact = (SELECT id FROM artifacts WHERE name = ?)', name);
  yield change(
    `UPDATE artifacts SET digest = NULL, size = 0, description = '', record = ? WHERE name = ?`,
    ...[new Uint8Array(), name],
  );
}

/**
 * The keys of artifacts that a new study names.
 * @throws NotFoundError for one that is not there.
 */
export function* artifactsNamed(names: readonly string[]): Steps<number[]> {
  const ids: number[] = [];
  // In one order, so that two studies do not wait for each other.
  for (const name of [...names].sort()) {
    yield lockArtifact(name);
    const [row] = yield query(`SELECT id FROM artifacts WHERE name = ? AND ${IS_THERE}`, name);
    if (row === undefined) throw new NotFoundError(name);
    ids.push(Number(row.id));
  }
  return ids;
}
