/**
 * A client with nothing but @grpc/proto-loader and the .proto files gets an estimate over mutual TLS with a token, and is
 * refused without one of them.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ChannelCredentials, credentials, Metadata, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Certificate, certificate } from '../support/certificates.ts';
import { startDmd } from '../support/dmd.ts';
import { contract, methodIn, serviceIn } from '../support/dynamic.ts';
import { Channel } from '../support/grpc.ts';
import { temporaryFolder } from '../support/trainer.ts';

const TOKEN = 'a-token-of-the-test-0123456789abcdef';

const cleanUp = new AsyncDisposableStack();
let address: string;
let authority: Certificate;
let client: Certificate;

beforeAll(async () => {
  const { path } = cleanUp.use(await temporaryFolder());
  authority = await certificate('authority.test');
  client = await certificate('client.test', authority);
  const server = await certificate('localhost', authority);
  const files = {
    'ca.pem': authority.cert,
    'server.pem': server.cert,
    'server.key': server.key,
    token: TOKEN,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text, { mode: 0o600 });
  const dmd = await startDmd({
    args: [
      ...['--tls-certificate', join(path, 'server.pem'), '--tls-key', join(path, 'server.key')],
      ...['--tls-client-ca', join(path, 'ca.pem'), '--token-file', join(path, 'token')],
    ],
  });
  cleanUp.defer(() => dmd.stop());
  address = `localhost:${dmd.address.split(':').at(-1)}`;
});
afterAll(() => cleanUp.disposeAsync());

const ca = () => Buffer.from(authority.cert);
const mutual = () => credentials.createSsl(ca(), Buffer.from(client.key), Buffer.from(client.cert));

/** h_t = 2 + 0.5^t: it settles at 2. */
const window = Float64Array.from({ length: 20 }, (_, t) => 2 + 0.5 ** t);

async function analyze(channelCredentials: ChannelCredentials, token?: string) {
  using channel = new Channel(address, channelCredentials);
  const method = methodIn(serviceIn(contract, 'glocal.v1.DmdService'), 'AnalyzeWindow');
  const metadata = new Metadata();
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  const request = { spec: { rows: 20, components: 1 }, hypergradients: Buffer.from(window.buffer) };
  const answer = await channel.unary(method, request, metadata);
  return (answer as { report: { verdict: string; glocal: Buffer } }).report;
}

describe('over mutual TLS', () => {
  it('with a token it gets an estimate', async () => {
    const { verdict, glocal } = await analyze(mutual(), TOKEN);
    expect(verdict).toBe('VERDICT_TRUSTED');
    expect(glocal.readDoubleLE()).toBeCloseTo(2, 5);
  });

  it.each([
    ['no token', undefined],
    ['a wrong token', `${TOKEN}x`],
  ])('with %s it is refused, and the answer tells no secret', async (_, token) => {
    const error = await analyze(mutual(), token).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: status.UNAUTHENTICATED });
    expect(String(error)).not.toContain(TOKEN);
  });

  it.each([
    ['no certificate', () => credentials.createSsl(ca())],
    ['no TLS', () => credentials.createInsecure()],
  ])('with %s it is not even heard', async (_, channel) => {
    await expect(analyze(channel(), TOKEN)).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });
});
