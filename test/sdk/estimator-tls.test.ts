/** A DMD service that admits nobody without a certificate and a token, used alone. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type EstimatorOptions, GlocalEstimator, type TlsOptions, UnauthenticatedError } from '@glocal/sdk';
import type { ServerChild } from '@glocal/trainer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Certificate, certificate } from '../support/certificates.ts';
import { startDmd } from '../support/dmd.ts';
import { rejection } from '../support/rejection.ts';
import { temporaryFolder } from '../support/trainer.ts';
import { TcpProxy } from './support/proxy.ts';

const NAME = 'dmd.test';
const TOKEN = 'a-token-of-the-test-0123456789abcdef';
const OLD_TOKEN = 'an-old-token-of-the-test-0123456789a';
const ROWS = Array.from({ length: 20 }, (_, t) => Float64Array.of(1 - 0.7 ** t, 2 + 0.5 ** t));

const cleanUp = new AsyncDisposableStack();
let service: ServerChild;
let authority: Certificate;
let stranger: Certificate;
/** All that the service wants. */
let admitted: { readonly tls: TlsOptions; readonly token: string };

beforeAll(async () => {
  const { path } = cleanUp.use(await temporaryFolder());
  authority = await certificate('authority.test');
  stranger = await certificate('stranger.test');
  const ofServer = await certificate(NAME, authority);
  const file = async (name: string, text: string) => {
    await writeFile(join(path, name), text, { mode: 0o600 });
    return join(path, name);
  };
  service = await startDmd({
    args: [
      ...['--tls-certificate', await file('server.pem', ofServer.cert)],
      ...['--tls-key', await file('server.key', ofServer.key)],
      ...['--tls-client-ca', await file('ca.pem', authority.cert)],
      ...['--token-file', await file('tokens', TOKEN)],
    ],
  });
  cleanUp.defer(() => service.stop());
  const tls = { ca: authority.cert, serverName: NAME, ...(await certificate('client.test', authority)) };
  admitted = { tls, token: TOKEN };
});
afterAll(() => cleanUp.disposeAsync());

/** An estimator that gives up soon. */
const estimatorWith = (options: EstimatorOptions): GlocalEstimator =>
  new GlocalEstimator({ address: service.address, timeout: 2_000, reconnectTimeout: 500, ...options });

describe('an estimator of a service behind TLS, client certificates and a token', () => {
  it('has all that it is for, with a certificate and a token', async () => {
    await using estimator = estimatorWith(admitted);
    expect((await estimator.info()).version).toMatch(/^\d+\.\d+/);
    const report = await estimator.analyze(ROWS, { dmd: { variant: 'affine' } });
    expect([...(report.glocal ?? [])].map(Math.round)).toEqual([1, 2]);
    const window = await estimator.open({ rows: 20, components: 2, dmd: { variant: 'affine' } });
    for (const row of ROWS) await window.push(row);
    expect((await window.report()).glocal).toEqual(report.glocal);
  });

  it.each<[string, () => TlsOptions | undefined]>([
    ['in the clear', () => undefined],
    ['without a certificate of its own', () => ({ ca: authority.cert, serverName: NAME })],
    ['with one of another authority', () => ({ ...admitted.tls, cert: stranger.cert, key: stranger.key })],
    ["who does not know the service's authority", () => ({ ...admitted.tls, ca: stranger.cert })],
    ['who expects another name', () => ({ ...admitted.tls, serverName: 'other.test' })],
  ])('does not reach it %s', async (_who, tls) => {
    await using estimator = estimatorWith({ ...admitted, tls: tls() });
    expect(await rejection(estimator.info())).toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining(service.address),
    });
    await expect(estimator.analyze(ROWS)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it.each([
    ['no token', undefined],
    ['a token that is none of its', 'some-other-token-0123456789abcdefghi'],
  ])('is told at once with %s, and the token is in no message', async (_what, token) => {
    await using estimator = estimatorWith({ ...admitted, token });
    for (const ask of [() => estimator.info(), () => estimator.analyze(ROWS)]) {
      const error = await rejection(ask());
      expect(error).toBeInstanceOf(UnauthenticatedError);
      expect(error.reason).toBe('TOKEN_REQUIRED');
      if (token !== undefined) expect(String(error)).not.toContain(token);
    }
  });

  it('takes a new token from its function where the old one is refused', async () => {
    const shown: string[] = [];
    const token = () => {
      shown.push(shown.length === 0 ? OLD_TOKEN : TOKEN);
      return shown.at(-1) as string;
    };
    await using estimator = estimatorWith({ ...admitted, token });
    const report = await estimator.analyze(ROWS, { dmd: { variant: 'affine' } });
    expect([...(report.glocal ?? [])].map(Math.round)).toEqual([1, 2]);
    // A second time for the call that was refused; what follows asks as it pleases, since nothing says how long a token lasts.
    expect(shown.slice(0, 2)).toEqual([OLD_TOKEN, TOKEN]);
  });

  it('shows who it is again when the connection is cut in the middle of a window', async () => {
    const proxy = await TcpProxy.start(Number(service.address.split(':').at(-1)));
    cleanUp.defer(() => proxy.close());
    let given = 0;
    const token = () => {
      given += 1;
      return TOKEN;
    };
    await using estimator = estimatorWith({
      ...admitted,
      address: proxy.address,
      token,
      retry: { initialBackoff: 10 },
      // Over TLS, Node does not hear of a connection that is reset while much is being written: the keepalive finds out.
      keepalive: { time: 500, timeout: 500 },
    });
    const window = await estimator.open({ rows: 20, components: 2, dmd: { variant: 'affine' } });
    for (const [t, row] of ROWS.entries()) {
      await window.push(row);
      if (t === 10) proxy.cut();
    }
    expect([...((await window.report()).glocal ?? [])].map(Math.round)).toEqual([1, 2]);
    expect(given).toBeGreaterThan(1);
  });

  it('refuses a key that is none before anything is sent', () => {
    expect(() => estimatorWith({ ...admitted, tls: { ...admitted.tls, key: 'no key' } })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', reason: 'TLS' }),
    );
  });
});
