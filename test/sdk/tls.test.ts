/** Encrypted connections, with and without a certificate of the client's own. */

import { GlocalClient, type LogEntry, type TlsOptions, type TlsSource } from '@glocal/sdk';
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
  encrypted = await start({ authority, ofServer, checkClient: false });
  mutual = await start({ authority, ofServer });
});

afterAll(() => {
  encrypted.stop();
  mutual.stop();
});

/** @param checkClient whether it asks for a certificate of the authority. @param port 0 for any free one. */
function start({
  authority,
  ofServer,
  checkClient = true,
  port = 0,
}: {
  readonly authority: Certificate;
  readonly ofServer: Certificate;
  readonly checkClient?: boolean;
  readonly port?: number;
}): Promise<ScriptedServer> {
  return startScriptedServer(
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
      port,
      credentials: ServerCredentials.createSsl(
        Buffer.from(authority.cert),
        [{ private_key: Buffer.from(ofServer.key), cert_chain: Buffer.from(ofServer.cert) }],
        checkClient,
      ),
    },
  );
}

async function versionOf({ address }: ScriptedServer, tls?: true | TlsOptions | TlsSource): Promise<string> {
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
  ['authorities that are none', () => ({ ca: 'no certificate' })],
])('%s is INVALID_ARGUMENT at once', (_what, tls) => {
  expect(() => new GlocalClient({ tls: tls() })).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT', reason: 'TLS' }),
  );
});

/** All that one authority vouches for. */
async function makeKeys(name: string) {
  const authority = await certificate(`${name}.authority.test`);
  const ofServer = await certificate(NAME, authority);
  const tls: TlsOptions = { ca: authority.cert, ...(await certificate('client.test', authority)) };
  return { authority, ofServer, tls };
}

/** Another server at the same port, which knows nothing of connections that there were. */
async function replace(
  server: ScriptedServer,
  keys: Awaited<ReturnType<typeof makeKeys>>,
): Promise<ScriptedServer> {
  server.stop();
  return start({ ...keys, port: server.port });
}

describe('certificates that a function gives', () => {
  const impatient = { timeout: 5_000, retry: { maxBackoff: 200 } };

  it('are those of each new connection: all may be replaced by those of another authority', async () => {
    const [old, next] = [await makeKeys('old'), await makeKeys('next')];
    let server = await start(old);
    try {
      let given: TlsOptions = { ...old.tls, serverName: NAME };
      await using client = new GlocalClient({ ...impatient, address: server.address, tls: () => given });
      expect((await client.serverInfo()).version).toBe('1');
      server = await replace(server, next);
      await expect(client.serverInfo({ timeout: 1_000 })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      // The name stays that of the first answer.
      given = next.tls;
      expect((await client.serverInfo()).version).toBe('1');
    } finally {
      server.stop();
    }
  });

  it.each<[string, (keys: Certificate) => TlsOptions, RegExp]>([
    [
      'is told that a file is away',
      () => {
        throw new Error('ENOENT: no such file');
      },
      /^tls: cannot be used: ENOENT: no such file$/,
    ],
    ['has a certificate whose key is not there yet', ({ cert }) => ({ cert, key: ofClient.key }), /mismatch/],
    ['has a file that is just being written', () => ({ ca: '-----BEGIN CERTIFICATE-----\nMIIB' }), /./],
    ['gives something else', () => ({ ca: 7 }) as never, /^tls\.ca: 7 is not PEM text/],
    ['gives a promise', () => Promise.resolve({}) as never, /^tls: a Promise is not an object$/],
  ])('stay as they were while it %s', async (_what, instead, reason) => {
    const [keys, unusable] = [await makeKeys('old'), await certificate('next.test')];
    let server = await start(keys);
    const told: LogEntry[] = [];
    let works = true;
    try {
      await using client = new GlocalClient({
        ...{ ...impatient, address: server.address, logger: (entry) => told.push(entry) },
        tls: () => (works ? { ...keys.tls, serverName: NAME } : instead(unusable)),
      });
      expect((await client.serverInfo()).version).toBe('1');
      works = false;
      server = await replace(server, keys);
      expect((await client.serverInfo()).version).toBe('1');
      const warned = told.filter(({ level }) => level === 'warn');
      expect(warned).toContainEqual({
        level: 'warn',
        message: 'no new certificates can be had: what was there before holds',
        fields: { reason: expect.stringMatching(reason) },
      });
    } finally {
      server.stop();
    }
  });

  it.each<[string, TlsSource, string]>([
    [
      'fails',
      () => {
        throw new Error('ENOENT: no such file');
      },
      'tls: cannot be used: ENOENT: no such file',
    ],
    ['gives a key that is none', () => ({ cert: authority.cert, key: 'no key' }), 'tls: cannot be used: '],
    ['gives authorities that are none', () => ({ ca: '' }), 'tls: cannot be used: '],
    [
      'gives what is misspelt',
      () => ({ certificate: '' }) as never,
      'tls.certificate: is unknown; did you mean cert?',
    ],
    ['gives nothing', () => undefined as never, 'tls: is missing; give an object'],
  ])('are INVALID_ARGUMENT at once when it %s at the start', async (_what, tls, message) => {
    const expected = { code: 'INVALID_ARGUMENT', reason: 'TLS', message: expect.stringContaining(message) };
    expect(() => new GlocalClient({ tls })).toThrow(expect.objectContaining(expected));
    await expect(versionOf(encrypted, tls)).rejects.toMatchObject(expected);
  });
});
