import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Role } from '@glocal/proto/glocal/v1/study_service';
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../config/errors.ts';
import { readConfig } from '../config.ts';
import { KeysUnavailableError } from './errors.ts';
import { JwtVerifier } from './jwt.ts';

const log = { info: () => {}, error: () => {} };
const ISSUER = 'https://issuer.test';
const AUDIENCE = 'glocal';

const folder = mkdtempSync(join(tmpdir(), 'glocal-jwt-'));
afterAll(() => rmSync(folder, { recursive: true }));

let key: CryptoKey;
let strangers: CryptoKey;
let published: string;
beforeAll(async () => {
  const pair = await generateKeyPair('ES256');
  key = pair.privateKey;
  strangers = (await generateKeyPair('ES256')).privateKey;
  const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES256' };
  // What a mistaken configuration might publish: whoever reads it could sign with it.
  const shared = {
    kty: 'oct',
    k: Buffer.from('x'.repeat(32)).toString('base64url'),
    kid: 'shared',
    alg: 'HS256',
  };
  published = JSON.stringify({ keys: [jwk, shared] });
  writeFileSync(join(folder, 'keys.json'), published);
});

const settings = (...args: string[]) =>
  readConfig(['--jwt-issuer', ISSUER, '--jwt-audience', AUDIENCE, '--jwt-keys', 'x', ...args], '1');
const open = (args: string[] = [], keys = join(folder, 'keys.json')) =>
  JwtVerifier.open(settings(...args), keys, log as never);

const now = () => Math.floor(Date.now() / 1000);
const sign = (claims: JWTPayload = {}, signer = key) =>
  new SignJWT({ iss: ISSUER, aud: AUDIENCE, sub: 'ada', exp: now() + 60, ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
    .sign(signer);

describe('a JSON Web Token', () => {
  it('says who calls, who may write', async () => {
    const token = await sign();
    expect(JwtVerifier.accepts(token)).toBe(true);
    expect(await (await open()).verify(token)).toMatchObject({ caller: { owner: 'ada', role: Role.WRITE } });
  });

  it('has owner and role in the claims that are named', async () => {
    const verifier = await open(['--jwt-owner-claim', 'email', '--jwt-role-claim', 'roles']);
    const caller = async (roles: unknown) =>
      (await verifier.verify(await sign({ email: 'ada@x.org', roles }))).caller;
    expect(await caller('read')).toEqual({ owner: 'ada@x.org', role: Role.READ });
    expect(await caller('openid write')).toMatchObject({ role: Role.WRITE });
    expect(await caller(['read', 'admin', 'painter'])).toMatchObject({ role: Role.ADMIN });
    await expect(caller(['painter', 7])).rejects.toMatchObject({ reason: 'NO_ROLE' });
    await expect(caller(undefined)).rejects.toMatchObject({ reason: 'NO_ROLE' });
  });

  it.each<[string, JWTPayload, string]>([
    ['has expired', { exp: now() - 3_600 }, 'EXPIRED_TOKEN'],
    ['never expires', { exp: undefined } as never, 'INVALID_TOKEN'],
    ['is not valid yet', { nbf: now() + 3_600 }, 'INVALID_TOKEN'],
    ['is of another issuer', { iss: 'https://other.test' }, 'INVALID_TOKEN'],
    ['is for another audience', { aud: 'other' }, 'INVALID_TOKEN'],
    ['does not say whose it is', { sub: '' }, 'NO_OWNER'],
    ['has an owner that nobody can read', { sub: 'a\u202eb' }, 'NO_OWNER'],
  ])('is refused when it %s', async (_, claims, reason) => {
    await expect((await open()).verify(await sign(claims))).rejects.toMatchObject({ reason });
  });

  it('may be off by the tolerance', async () => {
    const token = await sign({ exp: now() - 20 });
    expect((await (await open()).verify(token)).caller.owner).toBe('ada');
    const strict = await open(['--jwt-clock-tolerance', '0']);
    await expect(strict.verify(token)).rejects.toMatchObject({ reason: 'EXPIRED_TOKEN' });
  });

  it('is refused when somebody else has signed it, or nobody, or with a key that all may read', async () => {
    const verifier = await open();
    const invalid = { reason: 'INVALID_TOKEN' };
    await expect(verifier.verify(await sign({}, strangers))).rejects.toMatchObject(invalid);
    const [, payload] = (await sign()).split('.');
    const header = Buffer.from('{"alg":"none"}').toString('base64url');
    await expect(verifier.verify(`${header}.${payload}.x`)).rejects.toMatchObject(invalid);
    const shared = new SignJWT({ iss: ISSUER, aud: AUDIENCE, sub: 'ada', exp: now() + 60 });
    const signed = await shared
      .setProtectedHeader({ alg: 'HS256', kid: 'shared' })
      .sign(Buffer.from('x'.repeat(32)));
    await expect(verifier.verify(signed)).rejects.toMatchObject(invalid);
  });
});

describe('keys', () => {
  it('at a URL are fetched once, and while they cannot be, nobody is told that their token is wrong', async () => {
    let fetched = 0;
    const server: Server = createServer((_request, response) => {
      fetched += 1;
      response.setHeader('content-type', 'application/json').end(published);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
    const verifier = await open([], url);
    const token = await sign();
    for (let i = 0; i < 3; i += 1) await verifier.verify(token);
    expect(fetched).toBe(1);
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
    expect(await verifier.verify(token)).toMatchObject({ caller: { owner: 'ada' } });
    const later = await open([], url);
    await expect(later.verify(token)).rejects.toThrow(KeysUnavailableError);
  });

  it.each(['nonsense', '{}', '{"keys": 7}'])(
    'in a file that is no key set keep the server from starting: %s',
    async (text) => {
      writeFileSync(join(folder, 'wrong.json'), text);
      const opened = open([], join(folder, 'wrong.json'));
      await expect(opened).rejects.toThrow(ConfigError);
      await expect(opened).rejects.toThrow(
        /^--jwt-keys \(GLOCAL_JWT_KEYS\): the file is no JSON Web Key Set/,
      );
    },
  );
});
