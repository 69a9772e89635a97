import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Study, StudyState } from '@glocal/proto/glocal/v1/study';
import { afterAll, expect, it, vi } from 'vitest';
import { ConfigError } from '../../config/errors.ts';
import { artifactStoreContract } from '../artifact-store-contract.ts';
import { claimsContract } from '../claims.store-contract.ts';
import { decisionsContract } from '../decisions-store-contract.ts';
import { delayed } from '../delayed.ts';
import { StoreError, StoreUnavailableError } from '../errors.ts';
import { lifecycleContract } from '../lifecycle.store-contract.ts';
import { openStore } from '../open.ts';
import { storeContract } from '../store-contract.ts';
import { connectHere } from './connection.ts';
import { SqliteEngine } from './engine.ts';
import { SqliteStore } from './store.ts';

const folder = mkdtempSync(join(tmpdir(), 'glocal-store-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
const file = () => join(folder, 'deep', `${files}.db`);
const newFile = () => {
  files += 1;
  return file();
};

for (const contract of [storeContract, artifactStoreContract, decisionsContract]) {
  contract(
    'SqliteStore',
    () => SqliteStore.open(newFile()),
    () => SqliteStore.open(file()),
  );
}

const openHere = () => delayed(new SqliteStore(connectHere(new SqliteEngine(file()))), 1, 3);
for (const contract of [storeContract, artifactStoreContract, decisionsContract]) {
  contract(
    'SqliteStore in this thread, answering after random delays',
    async () => {
      newFile();
      return openHere();
    },
    async () => openHere(),
  );
}

claimsContract('SqliteStore', () => SqliteStore.open(newFile()));
claimsContract('SqliteStore in this thread', async () => SqliteStore.inMemory());
lifecycleContract('SqliteStore in this thread, answering after random delays', async () =>
  delayed(SqliteStore.inMemory(), 1, 3),
);

it('starts its thread again when that has died, and has all that was acknowledged', async () => {
  const sent = vi.spyOn(Worker.prototype, 'postMessage');
  const store = await SqliteStore.open(newFile());
  await store.createStudy({
    study: Study.fromPartial({ name: 'studies/a', state: StudyState.ACTIVE }),
    trials: [],
    requestId: '',
    fingerprint: Buffer.of(1),
    maxActiveStudies: 1,
  });
  const thread = sent.mock.contexts.at(-1) as Worker;
  const asked = expect(store.getStudy('studies/a')).rejects.toThrow(StoreUnavailableError);
  await thread.terminate();
  await asked;
  await expect(store.cancelStudy('studies/a')).rejects.toThrow("the store's thread ended");
  expect(store.health.writable).toBe(false);
  await vi.waitUntil(() => store.health.writable, { timeout: 30_000 });
  expect(await store.getStudy('studies/a')).toMatchObject({ state: StudyState.ACTIVE });
  await store.cancelStudy('studies/a');
  await store.close();
  vi.restoreAllMocks();
});

it('tells that another server has the file open', async () => {
  const first = await SqliteStore.open(newFile());
  await expect(SqliteStore.open(file())).rejects.toThrow(/another server has it open/);
  await first.close();
});

it('waits for another server that has the file open and is ending, where it is told to', async () => {
  const first = await SqliteStore.open(newFile());
  const opening = SqliteStore.open(file(), 30_000);
  const early = await Promise.race([opening.then(() => 'open'), sleep(300).then(() => 'waiting')]);
  await first.close();
  expect(early).toBe('waiting');
  await (await opening).close();
});

it('tells of a file that is no database, and of one that a newer version wrote', async () => {
  const foreign = join(folder, 'foreign.db');
  writeFileSync(foreign, 'this is a text, and long enough to be mistaken for nothing else'.repeat(20));
  await expect(SqliteStore.open(foreign)).rejects.toThrow(`store ${foreign}: file is not a database`);
  const newer = join(folder, 'newer.db');
  const db = new DatabaseSync(newer);
  db.exec('PRAGMA user_version = 99');
  db.close();
  await expect(SqliteStore.open(newer)).rejects.toThrow(/written by a newer version \(schema 99/);
});

it.each([
  ['a path', (path: string) => path],
  ['sqlite:PATH', (path: string) => `sqlite:${path}`],
  ['sqlite:///PATH', (path: string) => `sqlite://${path}`],
])('is opened by %s', async (_, url) => {
  const path = newFile();
  await (await openStore(url(path))).close();
  const db = new DatabaseSync(path);
  expect(db.prepare('SELECT count(*) AS n FROM studies').get()).toEqual({ n: 0 });
  db.close();
});

it('is opened in memory by memory:', async () => {
  const store = await openStore('memory:');
  expect(await store.getStudy('studies/a')).toBeUndefined();
  await store.close();
});

it.each([
  ['postgres://localhost/glocal', StoreError],
  ['sqlite:', ConfigError],
  ['mysql:x', ConfigError],
] as const)('is not opened by %s, which the error names', async (url, kind) => {
  await expect(openStore(url)).rejects.toThrow(kind);
  await expect(openStore(url)).rejects.toThrow(url);
});
