import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OuterStep, Study, StudyState, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { StoreError, StoreUnavailableError } from '../errors.ts';
import { openStore } from '../open.ts';
import type { Store } from '../store.ts';
import { checkDatabase, PostgresStore } from './store.ts';
import { TEST_PASSWORD, TestPostgres } from './testing.ts';

let postgres: TestPostgres;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'glocal-faults-'));
  postgres = await TestPostgres.start();
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const OPTIONS = { sessions: 3, statementMs: 20_000 };
const TRIAL = 'studies/a/trials/0';
const create = (store: Store, id = 'a') =>
  store.createStudy({
    study: Study.fromPartial({ name: `studies/${id}`, state: StudyState.ACTIVE }),
    trials: [Trial.fromPartial({ name: `studies/${id}/trials/0`, state: TrialState.PENDING })],
    requestId: '',
    fingerprint: Buffer.of(1),
    maxActiveStudies: 100,
  });
const outerStep = (index: number) =>
  OuterStep.fromPartial({ name: `${TRIAL}/outerSteps/${index}`, index, step: index });
/** Ends the sessions of a database, as an operator does. */
const endSessions = (name: string) =>
  postgres.run(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`);
const untilWritable = (store: Store) => vi.waitUntil(() => store.health.writable, { timeout: 30_000 });

describe('a database that fails', () => {
  let url: string;
  let name: string;
  let store: Store;
  beforeEach(async () => {
    url = await postgres.newDatabase();
    name = new URL(url).pathname.slice(1);
    store = await PostgresStore.open(url, OPTIONS);
    await create(store);
  });
  afterEach(() => store.close());

  /** Neither changes anything, and both say why. */
  async function expectUnavailable(why: RegExp): Promise<void> {
    const failed = await create(store, 'b').catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(StoreUnavailableError);
    expect((failed as Error).message).toMatch(why);
    expect(store.health.reason).toMatch(why);
    expect(store.health.reason).not.toContain(TEST_PASSWORD);
  }

  it('and is started again takes up what was refused', async () => {
    const { claim } = await store.startTrial(TRIAL);
    await postgres.stop('SIGQUIT');
    await expectUnavailable(new RegExp(`127.0.0.1:${postgres.port} cannot be reached`));
    await expect(store.getStudy('studies/a')).rejects.toThrow(StoreUnavailableError);
    await expect(store.addOuterStep(claim, outerStep(1))).rejects.toThrow(StoreUnavailableError);
    await postgres.start();
    await untilWritable(store);
    expect(await store.getStudy('studies/b')).toBeUndefined();
    expect((await store.addOuterStep(claim, outerStep(1))).outerStepsDone).toBe(1);
  });

  it('by ending sessions that nobody uses is not noticed', async () => {
    await endSessions(name);
    await vi.waitUntil(async () => (await endSessions(name)).length === 0, { timeout: 30_000 });
    await create(store, 'b').catch(() => create(store, 'b'));
    expect(await store.getStudy('studies/b')).toBeDefined();
  });

  it('as it is read-only can be read, and written again later', async () => {
    await postgres.run(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    await endSessions(name);
    await vi.waitUntil(() =>
      create(store, 'b').then(
        () => false,
        (error) => /read-only/.test(error.message),
      ),
    );
    await expectUnavailable(/read-only/);
    await expect(checkDatabase(postgres.url(name), OPTIONS)).rejects.toThrow('read-only; --store must name');
    expect((await store.getStudy('studies/a'))?.state).toBe(StudyState.ACTIVE);
    await postgres.run(`ALTER DATABASE ${name} SET default_transaction_read_only = off`);
    await endSessions(name);
    await untilWritable(store);
    await create(store, 'b');
  });

  it('as it refuses a password is there again with the new one, which is read anew', async () => {
    const passwordFile = join(folder, 'password');
    await postgres.run("CREATE ROLE ann LOGIN PASSWORD 'first' IN ROLE glocal");
    await postgres.run(`GRANT CREATE ON DATABASE ${name} TO ann; ALTER SCHEMA glocal OWNER TO ann`, url);
    writeFileSync(passwordFile, 'first\n');
    await store.close();
    const options = { ...OPTIONS, passwordFile };
    store = await PostgresStore.open(postgres.url(name, { user: 'ann', password: '' }), options);
    await postgres.run("ALTER ROLE ann PASSWORD 'second'");
    await endSessions(name);
    await vi.waitUntil(() =>
      create(store, 'b').then(
        () => false,
        (error) => /password/.test(error.message),
      ),
    );
    await expectUnavailable(/it refuses our user or password/);
    writeFileSync(passwordFile, 'second\n');
    await untilWritable(store);
    await create(store, 'b');
  });

  it('to give a lock in time is asked again', async () => {
    await store.close();
    store = await PostgresStore.open(url, { ...OPTIONS, statementMs: 300 });
    const other = new Client({ connectionString: url });
    await other.connect();
    await other.query('BEGIN; SELECT * FROM glocal.studies FOR UPDATE');
    await expect(store.cancelStudy('studies/a')).rejects.toThrow(StoreUnavailableError);
    await other.end();
    await untilWritable(store);
    expect((await store.cancelStudy('studies/a')).state).toBe(StudyState.CANCELLED);
  });

  it('to answer a commit may have made it, and takes the same again', async () => {
    const { claim } = await store.startTrial(TRIAL);
    await store.close();
    let lose = false;
    const relay = createServer((caller) => {
      const upstream = connect(postgres.port, '127.0.0.1');
      upstream.pipe(caller).on('error', () => upstream.destroy());
      upstream.on('error', () => caller.destroy());
      caller.on('close', () => upstream.end());
      caller.on('data', (data) => {
        // The database has it; the answer does not arrive.
        if (lose && data.includes('COMMIT')) {
          upstream.unpipe(caller);
          caller.destroy();
        }
        upstream.write(data);
      });
    }).listen(0, '127.0.0.1');
    await once(relay, 'listening');
    const { port } = relay.address() as AddressInfo;
    store = await PostgresStore.open(url.replace(String(postgres.port), String(port)), OPTIONS);
    lose = true;
    await expect(store.addOuterStep(claim, outerStep(1))).rejects.toThrow(StoreUnavailableError);
    lose = false;
    await untilWritable(store);
    await vi.waitUntil(async () => (await store.getTrial(TRIAL))?.outerStepsDone === 1);
    expect((await store.addOuterStep(claim, outerStep(1))).outerStepsDone).toBe(1);
    expect(await store.lastSequence('studies/a')).toBe(3);
    relay.close();
  });
});

describe('a database that cannot be opened', () => {
  it.each<[what: string, url: () => string | Promise<string>, message: RegExp]>([
    [
      'that is not there',
      () => 'postgres://glocal:secret@127.0.0.1:1/glocal',
      /^store postgres:\/\/glocal@127.0.0.1:1\/glocal: 127.0.0.1:1 cannot be reached: .*ECONNREFUSED.*; start the database, or correct --store/,
    ],
    [
      'with a wrong password',
      () => postgres.url('postgres', { password: 'secret' }),
      /--store-password-file/,
    ],
    [
      'without a password',
      () => postgres.url('postgres', { password: '' }),
      /asks for a password, and there is none/,
    ],
    [
      'by an unknown name',
      () => postgres.url('nowhere', {}),
      /database "nowhere" does not exist; make it \(createdb nowhere\)/,
    ],
    [
      'of a newer version',
      async () => {
        const url = await postgres.newDatabase();
        await (await PostgresStore.open(url, OPTIONS)).close();
        await postgres.run('UPDATE glocal.schema_version SET version = 99', url);
        return url;
      },
      /was written by a newer version \(schema 99, this one reads \d+\); upgrade the trainer/,
    ],
    [
      'by a user who may not make a schema',
      async () => {
        const url = await postgres.newDatabase();
        await postgres.run("CREATE ROLE guest LOGIN PASSWORD 'secret'");
        return postgres.url(new URL(url).pathname.slice(1), { user: 'guest', password: 'secret' });
      },
      /permission denied.*GRANT CREATE ON DATABASE/,
    ],
    [
      'for want of connections',
      async () => {
        await postgres.run("CREATE ROLE crowd LOGIN PASSWORD 'secret' CONNECTION LIMIT 0");
        return postgres.url('postgres', { user: 'crowd', password: 'secret' });
      },
      /too many connections.*max_connections.*--store-connections/,
    ],
    [
      'without TLS',
      () => `${postgres.url('postgres', {})}?sslmode=verify-full`,
      /no TLS connection to 127.0.0.1:\d+: .*; correct sslmode and sslrootcert in --store/,
    ],
    [
      'by roots that are not there',
      () => `${postgres.url('postgres', {})}?sslmode=verify-full&sslrootcert=/nowhere.pem`,
      /nowhere.pem/,
    ],
  ])('%s is told with what to correct, and without the password', async (_, given, message) => {
    const url = await given();
    const failed = (await openStore(url).catch((error: unknown) => error)) as Error;
    expect(failed).toBeInstanceOf(StoreError);
    expect(failed.message).toMatch(message);
    expect(failed.message).not.toMatch(/secret|correct%20horse|correct horse/);
  });

  it('yet is waited for, as long as it is told to', async () => {
    const url = await postgres.newDatabase();
    await postgres.stop();
    const opening = openStore(url, { waitMs: 60_000 });
    await postgres.start();
    await (await opening).close();
  });
});
