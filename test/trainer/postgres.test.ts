/** A trainer whose store is a PostgreSQL database: killed, and with the database away. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { withoutSettings } from '../support/environment.ts';
import { TEST_PASSWORD, TestPostgres } from '../support/postgres.ts';
import { rejection } from '../support/rejection.ts';
import { longStudy, quickStudy, training } from '../support/studies.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';

const MAIN = fileURLToPath(import.meta.resolve('@glocal/trainer/main'));
const USAGE = 64;
const UNAVAILABLE = 69;
const WITHIN = { timeout: 30_000, interval: 100 };

let postgres: TestPostgres;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let passwordFile: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  passwordFile = join(folder.path, 'password');
  await writeFile(passwordFile, TEST_PASSWORD);
  postgres = await TestPostgres.start();
});
// A test that fails must not take the others along.
afterEach(() => postgres.start());
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await folder.remove();
});

/** Of an empty database, without the password. */
const newStore = async () =>
  postgres.url(new URL(await postgres.newDatabase()).pathname.slice(1), { password: '' });
const flags = (name: string) => [
  '--store-password-file',
  passwordFile,
  '--store-dir',
  join(folder.path, name),
];
const indicesOf = (outerSteps: readonly { readonly index: number }[]) => outerSteps.map(({ index }) => index);

describe('a trainer on a database', () => {
  it('trains a study, and goes on with it after kill -9', async () => {
    const store = await newStore();
    const args = flags('killed');
    const first = await TestTrainer.start({ store, args });
    const ended = await first.client.studies.create(quickStudy());
    expect(await ended.result()).toMatchObject({ state: 'COMPLETED' });
    const study = await first.client.studies.create(longStudy());
    await training(study);
    const acknowledged = await Array.fromAsync(study.outerSteps({ includeWindows: true }));
    await first.kill();
    await using second = await TestTrainer.start({ store, args: [...args, '--listen', first.address] });
    // The first one may have stored more than was asked for before it was killed.
    await expect.poll(async () => (await study.trial()).attempts, WITHIN).toBe(2);
    const { outerStepsDone } = await study.trial();
    await expect
      .poll(async () => (await study.trial()).outerStepsDone, WITHIN)
      .toBeGreaterThan(outerStepsDone);
    const outerSteps = await Array.fromAsync(study.outerSteps({ includeWindows: true }));
    expect(outerSteps.slice(0, acknowledged.length)).toEqual(acknowledged);
    expect(indicesOf(outerSteps)).toEqual(outerSteps.map((_, i) => i + 1));
    expect((await study.trial()).attempts).toBe(2);
    expect((await second.client.studies.get(ended.name)).state).toBe('COMPLETED');
    expect([...first.log, ...second.log].join()).not.toContain(TEST_PASSWORD);
    await first[Symbol.asyncDispose]();
  });

  it('waits while the database is away, and loses nothing', async () => {
    await using trainer = await TestTrainer.start({ store: await newStore(), args: flags('away') });
    const study = await trainer.client.studies.create(longStudy());
    await training(study);
    await postgres.stop('SIGQUIT');
    const failed = await rejection<Error>(trainer.client.studies.create(quickStudy(), { timeout: 2_000 }));
    expect(failed.message).toMatch(/cannot be reached|refuses|deadline/i);
    await postgres.start();
    const { outerStepsDone, attempts } = await study.trial();
    await expect
      .poll(async () => (await study.trial()).outerStepsDone, WITHIN)
      .toBeGreaterThan(outerStepsDone + 5);
    expect((await study.trial()).attempts).toBe(attempts);
    const indices = indicesOf(await Array.fromAsync(study.outerSteps()));
    expect(indices).toEqual(indices.map((_, i) => i + 1));
    await study.cancel();
    const logged = trainer.log.join('\n');
    expect(logged).toContain('nothing can be stored for now');
    expect(logged).toContain('the store can write again');
    expect(logged).not.toContain(TEST_PASSWORD);
  });

  it('waits at its start for a database that comes, where it is told to', async () => {
    const store = await newStore();
    await postgres.stop();
    const starting = TestTrainer.start({ store, args: [...flags('late'), '--store-wait-seconds', '50'] });
    await postgres.start();
    await using trainer = await starting;
    expect(await Array.fromAsync(trainer.client.studies.list())).toEqual([]);
  });
});

describe('a trainer does not start', () => {
  let url: string;
  beforeEach(async () => {
    url = await newStore();
  });

  const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
    execa(process.execPath, [MAIN, ...args, '--listen', '127.0.0.1:0', '--backend', 'cpu'], {
      env: { ...withoutSettings(), ...env },
      reject: false,
      timeout: 50_000,
    });

  it.each<[what: string, change: (url: string) => string, code: number, message: RegExp]>([
    [
      'with a database that is not there',
      () => 'postgres://a@127.0.0.1:1/b',
      UNAVAILABLE,
      /127.0.0.1:1 cannot be reached.*correct --store/,
    ],
    [
      'without a password',
      (store) => store,
      UNAVAILABLE,
      /asks for a password, and there is none; give --store-password-file/,
    ],
    [
      'with a wrong password',
      (store) => store.replace('@', ':secret@'),
      UNAVAILABLE,
      /password authentication failed.*--store-password-file/,
    ],
    [
      'with a database elsewhere in clear text',
      () => 'postgres://a:secret@db.example/b',
      USAGE,
      /--store .*db.example is on another machine/,
    ],
  ])('%s', async (_, change, code, message) => {
    const { exitCode, stderr } = await run(['--store', change(url)]);
    const lines = stderr.split('\n').filter((line) => !line.startsWith('{'));
    expect(lines.at(-1)).toMatch(message);
    expect(stderr).not.toMatch(/secret|\n {4}at /);
    expect(exitCode).toBe(code);
  });

  it('with a password file that is not there', async () => {
    const { exitCode, stderr } = await run(['--store', url, '--store-password-file', '/nowhere']);
    expect(stderr).toMatch(
      /--store-password-file \(GLOCAL_STORE_PASSWORD_FILE.*\): cannot read the file: .*\/nowhere/,
    );
    expect(exitCode).toBe(USAGE);
  });

  it('and its check says so, and what there is, without a password', async () => {
    const wrong = await run(['check', '--store', url.replace('@', ':secret@')]);
    expect(wrong.stderr).toMatch(/store: .*password authentication failed/);
    const right = await run(['check', '--store', url], { PGPASSWORD: TEST_PASSWORD });
    expect(right.stdout).toContain('can be reached, and has none of our tables yet');
    expect(`${wrong.stdout}${wrong.stderr}${right.stdout}`).not.toMatch(/secret|correct horse/);
  });
});
