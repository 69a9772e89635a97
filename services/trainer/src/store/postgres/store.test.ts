import { afterAll, beforeAll } from 'vitest';
import { artifactStoreContract } from '../artifact-store-contract.ts';
import { claimsContract } from '../claims.store-contract.ts';
import { decisionsContract } from '../decisions-store-contract.ts';
import { lifecycleContract } from '../lifecycle.store-contract.ts';
import { storeContract } from '../store-contract.ts';
import { PostgresStore } from './store.ts';
import { TestPostgres } from './testing.ts';

const OPTIONS = { sessions: 4, statementMs: 20_000 };

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await TestPostgres.start();
});
afterAll(() => postgres[Symbol.asyncDispose]());

let url: string | undefined;
const reopen = () => PostgresStore.open(url ?? '', OPTIONS);
/** In one database for all, which is faster to empty than to make. */
const open = async () => {
  const isNew = url === undefined;
  url ??= await postgres.newDatabase();
  if (!isNew) await postgres.run(`SET search_path = glocal; ${EMPTY}`, url);
  return reopen();
};
const EMPTY = [
  'studies',
  'deleted_studies',
  'queued_owners',
  'workers',
  'artifacts',
  'tallies',
  'tally_changes',
  'events',
  'outer_steps',
  'reports',
  'deleted_rows',
]
  .map((table) => `DELETE FROM ${table}`)
  .join(';');

for (const contract of [storeContract, artifactStoreContract, decisionsContract]) {
  contract('PostgresStore', open, reopen);
}
lifecycleContract('PostgresStore', open);
claimsContract('PostgresStore', open);
