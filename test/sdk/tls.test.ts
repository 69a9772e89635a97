/** Encrypted connections, with and without a certificate of the client's own. */

import { GlocalClient, type TlsOptions } from '@glocal/sdk';
import { ServerCredentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Certificate, certificate } from '../support/certificates.ts';
import { type ScriptedServer, startScriptedServer } from './support/scripted-server.ts';

const NAME = 'trainer.test';

let authority: Certificate;
let stranger: Certificate;
let ofClient: Certificate;
let encrypted: ScriptedServer;
let mutual: ScriptedServer;

beforeAll(async () => {
  authority = await certificate('authority.test');
  stranger = await certificate('stranger.test');
  const ofServer = await certificate(NAME, authority);
  ofClient = await certificate('client.test', authority);
  const start = (checkClient: boolean) =>
    startScriptedServer(
      {
        getServerInfo: (_call, callback) =>
          callback(null, {
            version: '1',
            backend: '',
            dmdAddress: '',
            limits: undefined,
            dmd: undefined,
            caller: undefined,
          }),
      },
      {
        credentials: ServerCredentials.createSsl(
          Buffer.from(authority.cert),
          [{ private_key: Buffer.from(ofServer.key), cert_chain: Buffer.from(ofServer.cert) }],
          checkClient,
        ),
      },
    );
  encrypted = await start(false);
  mutual = await start(true);
});

afterAll(() => {
  encrypted.stop();
  mutual.stop();
});

async function versionOf({ address }: ScriptedServer, tls?: true | TlsOptions): Promise<string> {
  await using client = await GlocalClient.connect({ address, tls, connectTimeout: 1_000 });
  return (await client.serverInfo()).version;
}

describe('a server with a certificate', () => {
  it('is reached by who knows its authority and its name', async () => {
    expect(await versionOf(encrypted, { ca: authority.cert, serverName: NAME })).toBe('1');
    expect(await versionOf(encrypted, { ca: Buffer.from(authority.cert), serverName: NAME })).toBe('1');
  });

  it.each([
    ['another authority', () => ({ ca: stranger.cert, serverName: NAME })],
    ['another name', () => ({ ca: authority.cert, serverName: 'other.test' })],
    ["Node's own authorities", () => true as const],
    ['nothing', () => undefined],
  ])('is UNAVAILABLE to who trusts %s', async (_what, tls) => {
    await expect(versionOf(encrypted, tls())).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining(encrypted.address),
    });
  });
});

describe('a server that asks for certificates', () => {
  it('is reached with one of its authority, and only so', async () => {
    const known = { ca: authority.cert, serverName: NAME };
    expect(await versionOf(mutual, { ...known, ...ofClient })).toBe('1');
    await expect(versionOf(mutual, known)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(versionOf(mutual, { ...known, ...stranger })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});

it.each([
  ['a key that is none', () => ({ cert: authority.cert, key: 'no key' })],
  ['a certificate without its key', () => ({ cert: authority.cert })],
])('%s is INVALID_ARGUMENT at once', (_what, tls) => {
  expect(() => new GlocalClient({ tls: tls() })).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT', reason: 'TLS' }),
  );
});
