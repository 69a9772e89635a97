import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../config/errors.ts';
import { readConfig } from '../config.ts';
import { openTransport } from './tls.ts';

const log = { info: () => {}, error: () => {} };
const folder = mkdtempSync(join(tmpdir(), 'glocal-tls-'));
afterAll(() => rmSync(folder, { recursive: true }));

const path = (name: string) => join(folder, name);
const flags = (files: Record<string, string>) =>
  Object.entries(files).flatMap(([flag, name]) => [`--tls-${flag}`, path(name)]);
const open = (files: Record<string, string>) => openTransport(readConfig(flags(files), '1'), log as never);

beforeAll(async () => {
  for (const name of ['one', 'two']) {
    const { cert, private: key } = await generate([{ name: 'commonName', value: name }], { keyType: 'ec' });
    writeFileSync(path(`${name}.pem`), cert);
    writeFileSync(path(`${name}.key`), key);
  }
  writeFileSync(path('text'), 'nothing of that kind');
});

describe('TLS', () => {
  it('is made of a certificate and its key, with or without roots for clients', async () => {
    const own = { certificate: 'one.pem', key: 'one.key' };
    using alone = await open(own);
    using mutual = await open({ ...own, 'client-ca': 'two.pem' });
    expect(alone.credentials._getConstructorOptions()).toMatchObject({ requestCert: false });
    expect(mutual.credentials._getConstructorOptions()).toMatchObject({
      requestCert: true,
      rejectUnauthorized: true,
    });
  });

  it.each([
    [
      { certificate: 'none', key: 'one.key' },
      /^--tls-certificate \(GLOCAL_TLS_CERTIFICATE\): cannot read the file: ENOENT/,
    ],
    [{ certificate: 'text', key: 'one.key' }, /^--tls-certificate .*has no PEM block CERTIFICATE$/],
    [
      { certificate: 'one.pem', key: 'one.pem' },
      /^--tls-key \(GLOCAL_TLS_KEY\): the file has no PEM block PRIVATE KEY$/,
    ],
    [
      { certificate: 'one.pem', key: 'two.key' },
      /^--tls-certificate .*, --tls-key .*: no TLS with these files: .*mismatch/,
    ],
    [
      { certificate: 'one.pem', key: 'one.key', 'client-ca': 'text' },
      /^--tls-client-ca \(GLOCAL_TLS_CLIENT_CA\): the file has no PEM block CERTIFICATE$/,
    ],
  ])('is refused with files that are wrong, by the name of the setting: %j', async (files, message) => {
    const opened = open(files as unknown as Record<string, string>);
    await expect(opened).rejects.toThrow(ConfigError);
    await expect(opened).rejects.toThrow(message);
  });
});
