import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, expect, it, vi } from 'vitest';
import {
  type ConnectionFlags,
  clientOptions,
  connectionArguments,
  withConnection,
  withoutEmptyVariables,
} from './connection.ts';
import { CommandError } from './exit.ts';

afterEach(() => vi.unstubAllEnvs());

const flags = (...args: string[]): ConnectionFlags =>
  withConnection(new Command()).parse(args, { from: 'user' }).opts();

it('has the address of this machine, unless a variable or a flag says another', () => {
  vi.stubEnv('GLOCAL_ADDRESS', undefined);
  expect(clientOptions(flags()).address).toEqual(['localhost:50061']);
  vi.stubEnv('GLOCAL_ADDRESS', 'there:1');
  expect(clientOptions(flags()).address).toEqual(['there:1']);
  expect(clientOptions(flags('--address', 'elsewhere:2,third:3')).address).toEqual([
    'elsewhere:2',
    'third:3',
  ]);
});

it('takes an empty variable, and a switch that says no, for none', () => {
  const said = { GLOCAL_CLIENT_TLS: 'yes', GLOCAL_ADDRESS: 'there:1', GLOCAL_DATA_DIR: '', HOME: '' };
  const nothing = { GLOCAL_CLIENT_INSECURE: 'no', GLOCAL_CLIENT_TOKEN_FILE: '', GLOCAL_CLIENT_TIMEOUT: '' };
  expect(withoutEmptyVariables({ ...said, ...nothing })).toEqual(said);
  expect(withoutEmptyVariables({ GLOCAL_ADDRESS: '', GLOCAL_CLIENT_TLS: '0' })).toEqual({});
  expect(withoutEmptyVariables({ GLOCAL_DASHBOARD_LOGIN: 'no', GLOCAL_DASHBOARD_TLS_CERT: '' })).toEqual({});
});

it('encrypts when a file of TLS is given, and reads it anew for each connection', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'glocal-test-'));
  const ca = join(folder.path, 'ca.pem');
  await writeFile(ca, 'PEM');
  expect(clientOptions(flags()).tls).toBeUndefined();
  expect(clientOptions(flags('--tls')).tls).toBe(true);
  const { tls } = clientOptions(flags('--tls-ca', ca, '--tls-server-name', 'there'));
  if (typeof tls !== 'function') return expect.unreachable();
  expect(tls()).toMatchObject({ ca: 'PEM', serverName: 'there' });
  await writeFile(ca, 'another PEM');
  expect(tls()).toMatchObject({ ca: 'another PEM' });
  expect(() => clientOptions(flags('--tls-ca', join(folder.path, 'none.pem')))).toThrow(/^--tls-ca: ENOENT/);
});

it('reads the token anew for each call', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'glocal-test-'));
  const file = join(folder.path, 'token');
  await writeFile(file, 'first\n');
  const { token } = clientOptions(flags('--token-file', file));
  if (typeof token !== 'function') return expect.unreachable();
  expect(await token()).toBe('first');
  await writeFile(file, 'second');
  expect(await token()).toBe('second');
});

it("does not take the server's file of hashes for a token", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'glocal-test-'));
  const file = join(folder.path, 'tokens');
  await writeFile(file, 'abc ada write\n');
  expect(() => clientOptions(flags('--token-file', file))).toThrow(CommandError);
});

it('is repeated in commands that lead back, without what is the default', () => {
  vi.stubEnv('GLOCAL_ADDRESS', undefined);
  expect(connectionArguments(flags())).toEqual([]);
  expect(connectionArguments(flags('--address', 'there:1', '--insecure'))).toEqual([
    '--address',
    'there:1',
    '--insecure',
  ]);
});

it('has a certificate with its key only', () => {
  expect(() => clientOptions(flags('--tls-cert', 'mine.pem'))).toThrow(
    '--tls-cert and --tls-key belong together',
  );
});
