import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PeerCertificate } from 'node:tls';
import { Role } from '@glocal/proto/glocal/v1/study_service';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { readConfig } from '../config.ts';
import { Authenticator } from './authenticator.ts';
import { makeToken, tokenLine } from './tokens.ts';

const log = { info: () => {}, error: () => {} };
const folder = mkdtempSync(join(tmpdir(), 'glocal-callers-'));
afterAll(() => rmSync(folder, { recursive: true }));

const tokens = join(folder, 'tokens');
const token = makeToken();
const line = (expires?: Date) => `${tokenLine(token, { owner: 'ada', role: Role.WRITE, expires })}\n`;

let opened: Authenticator | undefined;
afterEach(() => {
  opened?.[Symbol.dispose]();
  vi.useRealTimers();
});
async function open(...args: string[]): Promise<Authenticator> {
  opened = await Authenticator.open(readConfig(args, '1'), log as never);
  return opened ?? expect.unreachable('nobody is asked');
}

const shown = (authorization?: string, certificate?: PeerCertificate) => ({ authorization, certificate });
const named = (CN: unknown) => ({ subject: { CN } }) as PeerCertificate;

it('callers are not asked who they are unless a setting says so', async () => {
  expect(await Authenticator.open(readConfig([], '1'), log as never)).toBeUndefined();
});

describe('with a file of tokens, a caller', () => {
  it('is known by a token of it, however the scheme is written', async () => {
    writeFileSync(tokens, line());
    const authenticator = await open('--token-file', tokens);
    for (const scheme of ['Bearer', 'bearer', 'BEARER ']) {
      const { caller } = await authenticator.admit(shown(`${scheme} ${token}`));
      expect(caller).toEqual({ owner: 'ada', role: Role.WRITE });
    }
  });

  it.each([
    ['NO_TOKEN', undefined],
    ['NO_TOKEN', 'Bearer'],
    ['NO_TOKEN', `Basic ${token}`],
    ['NO_TOKEN', token],
    ['NO_TOKEN', `Bearer ${token} ${token}`],
    ['UNKNOWN_TOKEN', `Bearer ${token}x`],
    ['UNKNOWN_TOKEN', 'Bearer a.b.c'],
  ])('is refused, %s, with %s', async (reason, authorization) => {
    writeFileSync(tokens, line());
    const authenticator = await open('--token-file', tokens);
    await expect(authenticator.admit(shown(authorization, named('ada')))).rejects.toMatchObject({ reason });
  });

  it('is known until their token expires', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    writeFileSync(tokens, line(new Date(Date.now() + 1_000)));
    const authenticator = await open('--token-file', tokens);
    const { refusal } = await authenticator.admit(shown(`Bearer ${token}`));
    expect(refusal()).toBeUndefined();
    vi.setSystemTime(Date.now() + 2_000);
    expect(refusal()).toMatchObject({ reason: 'EXPIRED_TOKEN' });
    await expect(authenticator.admit(shown(`Bearer ${token}`))).rejects.toMatchObject({
      reason: 'EXPIRED_TOKEN',
    });
  });
});

it('with keys of JSON Web Tokens, too, a caller may show a token of either kind', async () => {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const keys = join(folder, 'keys.json');
  writeFileSync(keys, JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256' }] }));
  writeFileSync(tokens, line());
  const issued = ['--jwt-issuer', 'https://issuer.test', '--jwt-audience', 'glocal', '--jwt-keys', keys];
  const authenticator = await open('--token-file', tokens, ...issued);
  const jwt = await new SignJWT({ sub: 'bob' })
    .setProtectedHeader({ alg: 'ES256' })
    .setIssuer('https://issuer.test')
    .setAudience('glocal')
    .setExpirationTime('1 minute')
    .sign(privateKey);
  const owner = async (shownToken: string) =>
    (await authenticator.admit(shown(`Bearer ${shownToken}`))).caller.owner;
  expect([await owner(token), await owner(jwt)]).toEqual(['ada', 'bob']);
  await expect(owner(`${jwt.slice(0, -8)}AAAAAAAA`)).rejects.toMatchObject({ reason: 'INVALID_TOKEN' });
  await expect(owner('no-token-at-all')).rejects.toMatchObject({ reason: 'UNKNOWN_TOKEN' });
});

describe('with roles for certificates, a caller', () => {
  const files = (...names: string[]) => names.flatMap((name) => [`--tls-${name}`, join(folder, name)]);
  const args = [...files('certificate', 'key', 'client-ca'), '--tls-client-role', 'read'];

  it('is known by the common name of their certificate', async () => {
    const { caller, refusal } = await (await open(...args)).admit(shown(undefined, named('Ada Lovelace')));
    expect(caller).toEqual({ owner: 'Ada Lovelace', role: Role.READ });
    expect(refusal()).toBeUndefined();
  });

  it.each([[undefined], [''], [['ada', 'bob']], ['a\nb']])('is refused when that is %j', async (CN) => {
    const authenticator = await open(...args);
    await expect(authenticator.admit(shown(undefined, named(CN)))).rejects.toMatchObject({
      reason: 'NO_OWNER',
    });
  });

  it('is who their token says when they show one, too', async () => {
    writeFileSync(tokens, line());
    const authenticator = await open(...args, '--token-file', tokens);
    const { caller } = await authenticator.admit(shown(`Bearer ${token}`, named('bob')));
    expect(caller).toEqual({ owner: 'ada', role: Role.WRITE });
    await expect(authenticator.admit(shown('Bearer wrong', named('bob')))).rejects.toMatchObject({
      reason: 'UNKNOWN_TOKEN',
    });
  });
});
