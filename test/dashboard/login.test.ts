/** Dashboards that ask who looks: each caller gives their own token, and sees what that may see. */

import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { rename } from 'node:fs/promises';
import { request } from 'node:https';
import { connect } from 'node:tls';
import { startDashboard } from '@glocal/dashboard';
import { GlocalClient, type TlsOptions } from '@glocal/sdk';
import { type ServerChild, spawnTrainer } from '@glocal/trainer';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SessionInfo, StudyList } from '../../dashboard/src/api.ts';
import { ensureDashboard } from '../../scripts/steps/dashboard.ts';
import { certificate } from '../support/certificates.ts';
import { withoutSettings } from '../support/environment.ts';
import { GLOCAL, glocal, start } from '../support/glocal.ts';
import { SERVER_NAME, SecureTrainer, SecurityFiles } from '../support/security.ts';
import { longStudy } from '../support/studies.ts';
import { Tab } from '../support/tab.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';

const cleanUp = new AsyncDisposableStack();
let files: SecurityFiles;
let trainer: ServerChild;
let ann: string;
let carl: string;
let bob: string;
const log: string[] = [];

beforeAll(async () => {
  await ensureDashboard();
  files = await SecurityFiles.make(cleanUp.use(await temporaryFolder()).path);
  [ann, bob, carl] = [await files.token('ann'), await files.token('bob'), await files.token('carl')];
  trainer = await spawnTrainer({
    args: ['--store', 'memory:', ...files.tokens()],
    env: withoutSettings(),
    log: (line) => log.push(line),
  });
  cleanUp.defer(() => trainer.stop());
}, 300_000);
afterAll(() => cleanUp.disposeAsync());

async function dashboardWithLogin() {
  const client = { address: trainer.address };
  return startDashboard({ client, listen: '127.0.0.1:0', login: true, log: (line) => log.push(line) });
}

/** Gives a token, and keeps the cookie as a browser does. */
async function goIn(tab: Tab, token: string): Promise<Response> {
  const response = await tab.request('/api/session', { method: 'POST', body: { token } });
  tab.cookie = (response.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '';
  return response;
}

it('shows nothing without a token', async () => {
  await using dashboard = await dashboardWithLogin();
  const tab = new Tab(dashboard.url);
  expect(await tab.json<SessionInfo>('/api/session')).toMatchObject({ login: 'needed' });
  for (const path of ['/api/studies', '/api/server', '/api/problems', '/api/events?studies=1'])
    expect((await tab.request(path)).status, path).toBe(401);
  expect((await goIn(tab, 'no-such-token')).status).toBe(401);
});

it('keeps the token where scripts and other sites cannot get at it', async () => {
  await using dashboard = await dashboardWithLogin();
  const response = await goIn(new Tab(dashboard.url), ann);
  expect(response.status).toBe(200);
  const [cookie = ''] = response.headers.getSetCookie();
  expect(cookie).toMatch(/; HttpOnly/);
  expect(cookie).toMatch(/; SameSite=Strict/);
  expect(await response.text()).not.toContain(ann);
});

it('shows each caller their own studies, also after it was started again', async () => {
  await using client = new GlocalClient({ address: trainer.address, token: ann });
  const study = await client.studies.create({ ...longStudy(), displayName: 'of ann' });
  const ofAnn = new Tab('');
  const ofBob = new Tab('');
  for (const [tab, token] of [
    [ofAnn, ann],
    [ofBob, bob],
  ] as const) {
    await using dashboard = await dashboardWithLogin();
    const own = new Tab(dashboard.url);
    await goIn(own, token);
    tab.cookie = own.cookie;
  }
  await using dashboard = await dashboardWithLogin();
  // A cookie is of a host and, by its name, of a port; this one has another port.
  const at = (tab: Tab): Tab => {
    const moved = new Tab(dashboard.url);
    moved.cookie = tab.cookie.replace(/^glocal-\d+/, `glocal-${new URL(dashboard.url).port}`);
    return moved;
  };
  const names = async (tab: Tab) =>
    (await at(tab).json<StudyList>('/api/studies')).rows.map(({ name }) => name);
  expect(await names(ofAnn)).toEqual([study.name]);
  expect(await names(ofBob)).toEqual([]);
  const id = study.name.replace('studies/', '');
  expect((await at(ofBob).request(`/api/studies/${id}`)).status).toBe(404);
  expect((await at(ofBob).request(`/api/studies/${id}`, { method: 'DELETE' })).status).toBe(404);
  await study.cancel();
});

it('lets people in while what it shows the trainer waits for its key, or what it knows it by is cut off, and says so once', async () => {
  await using secure = await SecureTrainer.start(files, [...files.tls({ mutual: true }), ...files.tokens()]);
  const own = await certificate('dashboard.test', files.authority);
  const { cert } = await certificate('dashboard.test', files.authority);
  let given: TlsOptions = { ca: files.authority.cert, serverName: SERVER_NAME, ...own };
  const said: string[] = [];
  await using dashboard = await startDashboard({
    ...{ client: { address: secure.address, tls: () => given }, listen: '127.0.0.1:0', login: true },
    log: (line) => said.push(line),
  });
  expect((await goIn(new Tab(dashboard.url), ann)).status).toBe(200);
  const unusable = /^the certificates towards the trainer cannot be used, what was there before holds: /;
  // A client of its own, which has no connection yet.
  given = { ...given, cert };
  expect((await goIn(new Tab(dashboard.url), bob)).status).toBe(200);
  expect(said).toEqual([expect.stringMatching(/: .*key values mismatch$/)]);
  given = { ...given, ...own, ca: '' };
  expect((await goIn(new Tab(dashboard.url), carl)).status).toBe(200);
  expect(said).toEqual([expect.stringMatching(unusable), expect.stringMatching(unusable)]);
});

it('says no token in its log, nor does the trainer', () => {
  const all = log.join('\n');
  for (const token of [ann, bob]) expect(all).not.toContain(token);
});

it('lets nobody in where the trainer does not ask who calls', async () => {
  await using open = await TestTrainer.start({ store: 'memory:' });
  await using dashboard = await startDashboard({
    client: { address: open.address },
    listen: '127.0.0.1:0',
    login: true,
  });
  const response = await goIn(new Tab(dashboard.url), 'anything');
  expect(await response.json()).toMatchObject({ error: { reason: 'NO_TOKENS' } });
});

it.each([
  ['without a certificate', {}],
  ['without a login', { login: false, tls: { cert: 'c', key: 'k' } }],
])('does not listen for other machines %s', async (_, options) => {
  const client = { address: trainer.address };
  await expect(startDashboard({ client, listen: '0.0.0.0:0', ...options })).rejects.toThrow(
    'can be reached from other machines',
  );
});

it.each([
  ['a file that is no certificate', ['--listen-tls-cert', 'tokens', '--listen-tls-key', 'server.key']],
  ['one without a key', ['--listen-tls-cert', 'server.pem', '--listen-tls-key', 'server.pem']],
])('names the flags of %s', async (_, flags) => {
  const paths = flags.map((flag) => (flag.startsWith('--') ? flag : files.path(flag)));
  const ended = await glocal([
    'dashboard',
    '--address',
    trainer.address,
    '--listen',
    '127.0.0.1:0',
    ...paths,
  ]);
  expect(ended).toMatchObject({
    exitCode: 64,
    stderr: expect.stringMatching(/^glocal: --listen-tls-cert, --listen-tls-key: is no certificate .*$/),
  });
});

it('has a certificate that was replaced without being started again', async () => {
  await using folder = await temporaryFolder();
  const own = await SecurityFiles.make(folder.path);
  const replace = async (name: string, text: string) => {
    await own.write('new', text);
    await rename(own.path('new'), own.path(name));
  };
  const next = await certificate(SERVER_NAME, own.authority);
  const { running, line, interrupt } = start(
    process.execPath,
    [
      ...[GLOCAL, 'dashboard', '--address', trainer.address, '--listen', '127.0.0.1:0'],
      ...['--listen-tls-cert', own.path('server.pem'), '--listen-tls-key', own.path('server.key')],
    ],
    own.folder,
    {},
  );
  let said = '';
  running.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const { port } = new URL((await line(/^dashboard at https/)).replace('dashboard at ', ''));
  const before = await shownAt(Number(port));
  const within = { timeout: 20_000, interval: 100 };
  await replace('server.pem', next.cert);
  await expect.poll(() => said, within).toMatch(/^the certificate cannot be used, .*: .*mismatch$/m);
  expect(await shownAt(Number(port))).toBe(before);
  await replace('server.key', next.key);
  await expect.poll(() => shownAt(Number(port)), within).toBe(new X509Certificate(next.cert).fingerprint256);
  interrupt();
  expect((await running).exitCode).toBe(0);
  expect(said).toMatch(
    /^the certificate cannot be used, .*\nthe certificate was replaced: new connections use it\n$/,
  );
});

/** The certificate of the pages, as a new connection is shown it. */
async function shownAt(port: number): Promise<string | undefined> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerX509Certificate() ?? {};
  socket.destroy();
  return fingerprint256;
}

it('comes encrypted from the command line, with cookies that travel encrypted alone', async () => {
  const { running, line, interrupt } = start(
    process.execPath,
    [
      ...[GLOCAL, 'dashboard', '--address', trainer.address, '--listen', '0.0.0.0:0'],
      ...['--listen-tls-cert', files.path('server.pem'), '--listen-tls-key', files.path('server.key')],
    ],
    files.folder,
    {},
  );
  const [, port] = /:(\d+)\/$/.exec(await line(/^dashboard at https/)) ?? [];
  const cookies = await new Promise<readonly string[]>((resolve, reject) => {
    const sent = request(
      {
        ...{ host: '127.0.0.1', port, path: '/api/session', method: 'POST' },
        ...{ ca: files.authority.cert, servername: SERVER_NAME },
        headers: {
          'content-type': 'application/json',
          'content-length': JSON.stringify({ token: ann }).length,
        },
      },
      ({ headers }) => resolve(headers['set-cookie'] ?? []),
    );
    sent.on('error', reject);
    sent.end(JSON.stringify({ token: ann }));
  });
  // As a probe asks, in the same container with the same settings.
  const settings = {
    GLOCAL_DASHBOARD_LISTEN: `0.0.0.0:${port}`,
    GLOCAL_DASHBOARD_TLS_CERT: files.path('server.pem'),
    GLOCAL_DASHBOARD_TLS_KEY: files.path('server.key'),
  };
  const check = () => glocal(['dashboard', '--check'], { env: settings });
  expect(await check()).toMatchObject({ exitCode: 0, stdout: 'SERVING' });
  interrupt();
  expect(cookies[0]).toMatch(/^__Host-glocal-\d+=.*; Secure/);
  expect((await running).exitCode).toBe(0);
  expect(await check()).toMatchObject({ exitCode: 69, stderr: expect.stringContaining('ECONNREFUSED') });
});
