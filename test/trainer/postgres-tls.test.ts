/** The way to a database that is encrypted: whom the trainer trusts, and what it says of others. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openStore } from '@glocal/trainer/testing';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { certificate } from '../support/certificates.ts';
import { TestPostgres } from '../support/postgres.ts';
import { externalStudy, Reporter } from '../support/reporter.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';

/** That the server's certificate is for. */
const HOST = 'localhost';

const cleanUp = new AsyncDisposableStack();
let postgres: TestPostgres;
/** PEM files of authorities: the one that the server's certificate leads to, and another one. */
let roots: string;
let others: string;
beforeAll(async () => {
  const folder = cleanUp.use(await temporaryFolder()).path;
  const file = async (name: string, text: string) => {
    await writeFile(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const authority = await certificate('authority.test');
  const server = await certificate(HOST, authority);
  roots = await file('roots.pem', authority.cert);
  others = await file('others.pem', (await certificate('others.test')).cert);
  postgres = cleanUp.use(await TestPostgres.start());
  const certificateFile = await file('server.pem', server.cert);
  const keyFile = await file('server.key', server.key);
  for (const path of [folder, certificateFile, keyFile]) await postgres.own(path);
  await postgres.set('ssl_cert_file', certificateFile);
  await postgres.set('ssl_key_file', keyFile);
  await postgres.set('ssl', 'on');
  const on = async () => (await postgres.run('SHOW ssl'))[0]?.ssl === 'on';
  await vi.waitUntil(on, { timeout: 20_000, interval: 50 });
});
afterAll(() => cleanUp.disposeAsync());

/** Of an empty database. */
async function newUrl(parameters: Readonly<Record<string, string>>, host = HOST): Promise<string> {
  const url = new URL(await postgres.newDatabase());
  url.hostname = host;
  url.search = new URLSearchParams(parameters).toString();
  return url.href;
}

it('with roots every connection of a trainer is encrypted', async () => {
  const store = await newUrl({ sslmode: 'verify-full', sslrootcert: roots });
  await using trainer = await TestTrainer.start({ store, args: ['--backend', 'cpu'] });
  using reporter = new Reporter(trainer.address);
  await reporter.create(externalStudy());
  const sessions = await postgres.run(
    `SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
     WHERE datname = '${new URL(store).pathname.slice(1)}' AND application_name LIKE 'glocal%'`,
  );
  // That which listens, and that which has stored the study.
  expect(sessions.length).toBeGreaterThan(1);
  expect(sessions.map(({ ssl }) => ssl)).not.toContain(false);
});

it.each([
  { sslmode: 'verify-ca', roots: true },
  { sslmode: 'require', roots: true },
  { sslmode: 'no-verify', roots: false },
])('with sslmode=$sslmode it is opened', async ({ sslmode, roots: known }) => {
  const store = await openStore(await newUrl({ sslmode, ...(known && { sslrootcert: roots }) }));
  await store.close();
});

it.each<[what: string, url: () => Promise<string>, why: RegExp]>([
  [
    'roots that its certificate does not lead to',
    () => newUrl({ sslmode: 'verify-full', sslrootcert: others }),
    /certificate/,
  ],
  ['no roots of its own', () => newUrl({ sslmode: 'verify-full' }), /certificate/],
  [
    'a host that its certificate is not for',
    () => newUrl({ sslmode: 'verify-full', sslrootcert: roots }, '127.0.0.1'),
    /IP.*127\.0\.0\.1/,
  ],
])('with %s nothing is sent, and the keys are named', async (_, newStore, why) => {
  const url = await newStore();
  const failed = await openStore(url).catch((error: unknown) => error as Error);
  expect(failed).toBeInstanceOf(Error);
  const { message } = failed as Error;
  expect(message).toMatch(/no TLS connection to \S+:\d+: .*; correct sslmode and sslrootcert in --store/);
  expect(message).toMatch(why);
  expect(message).not.toMatch(/correct horse|correct%20horse/);
});
