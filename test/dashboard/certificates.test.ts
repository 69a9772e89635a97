/** The certificate of the pages, replaced while they are served. */

import { once } from 'node:events';
import { connect } from 'node:tls';
import { startDashboard } from '@glocal/dashboard';
import { afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { ensureDashboard } from '../../scripts/steps/dashboard.ts';
import { type Certificate, certificate } from '../support/certificates.ts';

let old: Certificate;
let next: Certificate;

beforeAll(async () => {
  await ensureDashboard();
  [old, next] = [await certificate('old.test'), await certificate('next.test')];
}, 300_000);
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const aMinute = () => vi.advanceTimersByTime(60_000);

/** A dashboard, and what it has said; it is not asked for its pages. */
async function serving(tls: Certificate | (() => Certificate)) {
  const said: string[] = [];
  const dashboard = await startDashboard({
    ...{ client: { address: 'localhost:1' }, listen: '127.0.0.1:0' },
    ...{ tls, log: (line: string) => said.push(line) },
  });
  /** The name that a new connection is shown a certificate for. */
  const shown = async () => {
    const port = Number(new URL(dashboard.url).port);
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const { subject } = socket.getPeerCertificate();
    socket.destroy();
    return subject.CN;
  };
  return { said, shown, [Symbol.asyncDispose]: () => dashboard.close() };
}

it('a new pair is that of new connections within two seconds, and is told of once', async () => {
  let given = old;
  await using server = await serving(() => given);
  aMinute();
  expect(await server.shown()).toBe('old.test');
  expect(server.said).toEqual([]);
  given = next;
  vi.advanceTimersByTime(2_000);
  expect(await server.shown()).toBe('next.test');
  aMinute();
  expect(server.said).toEqual(['the certificate was replaced: new connections use it']);
});

it.each<[string, () => Certificate, RegExp]>([
  [
    'files that are away',
    () => {
      throw new Error('ENOENT: no such file');
    },
    /: ENOENT: no such file$/,
  ],
  [
    'a certificate that waits for its key',
    () => ({ cert: next.cert, key: old.key }),
    /: .*key values mismatch$/,
  ],
  ['files that are just being written', () => ({ cert: '', key: '' }), /: .*no start line$/],
])('with %s the old pair holds, which is told of once each time', async (_what, instead, reason) => {
  let give = () => old;
  await using server = await serving(() => give());
  for (const times of [1, 2]) {
    give = instead;
    aMinute();
    expect(await server.shown()).toBe('old.test');
    expect(server.said).toHaveLength(times);
    expect(server.said.at(-1)).toMatch(/^the certificate cannot be used, what was there before holds: /);
    expect(server.said.at(-1)).toMatch(reason);
    give = () => old;
    aMinute();
  }
  give = () => next;
  aMinute();
  expect(await server.shown()).toBe('next.test');
});

it('what is no pair is refused at the start', async () => {
  const { cert, key } = old;
  for (const pair of [
    { cert, key: cert },
    { cert: '', key },
    { cert: '', key: '' },
  ])
    for (const tls of [pair, () => pair])
      await expect(serving(tls)).rejects.toThrow(/^tls: is no certificate with its key, both as PEM: /);
});

it('nobody is asked any more once the dashboard is closed', async () => {
  const asked = vi.fn(() => old);
  {
    await using _server = await serving(asked);
    aMinute();
  }
  const times = asked.mock.calls.length;
  expect(times).toBeGreaterThan(1);
  aMinute();
  expect(asked).toHaveBeenCalledTimes(times);
});
