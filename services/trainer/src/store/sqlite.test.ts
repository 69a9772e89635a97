import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, it } from 'vitest';
import { SqliteStore } from './sqlite.ts';
import { storeContract } from './store-contract.ts';

const folder = mkdtempSync(join(tmpdir(), 'glocal-store-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
const file = () => join(folder, 'deep', `${files}.db`);

storeContract(
  'SqliteStore',
  async () => {
    files += 1;
    return new SqliteStore(file());
  },
  async () => new SqliteStore(file()),
);

it('tells that another server has the file open', async () => {
  files += 1;
  const first = new SqliteStore(file());
  expect(() => new SqliteStore(file())).toThrow(/another server has it open/);
  await first.close();
});

it('tells of a file that is no database, and of one that a newer version wrote', () => {
  const foreign = join(folder, 'foreign.db');
  writeFileSync(foreign, 'this is a text, and long enough to be mistaken for nothing else'.repeat(20));
  expect(() => new SqliteStore(foreign)).toThrow(`store ${foreign}: file is not a database`);
  const newer = join(folder, 'newer.db');
  const db = new DatabaseSync(newer);
  db.exec('PRAGMA user_version = 99');
  db.close();
  expect(() => new SqliteStore(newer)).toThrow(/written by a newer version \(schema 99/);
});
