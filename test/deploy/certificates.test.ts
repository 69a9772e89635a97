/** Certificates that have expired, or are for another name: whoever meets one says so, and trusts nobody. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GlocalClient } from '@glocal/sdk';
import { spawnTrainer } from '@glocal/trainer';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Certificate, certificate } from '../support/certificates.ts';
import { startDmd } from '../support/dmd.ts';
import { withoutSettings } from '../support/environment.ts';
import { TestPostgres } from '../support/postgres.ts';
import { rejection } from '../support/rejection.ts';
import { temporaryFolder } from '../support/trainer.ts';

const MAIN = fileURLToPath(import.meta.resolve('@glocal/trainer/main'));
const UNAVAILABLE = 69;

type Kind = 'expired' | 'another name';
const KINDS: readonly Kind[] = ['expired', 'another name'];
/** As OpenSSL and Node say it. */
const SAYS: Readonly<Record<Kind, RegExp>> = {
  expired: /certificate has expired/,
  'another name': /does not match certificate's altnames/,
};

const cleanUp = new AsyncDisposableStack();
let authority: Certificate;
let folder: string;
let ca: string;
beforeAll(async () => {
  folder = cleanUp.use(await temporaryFolder()).path;
  authority = await certificate('authority.test');
  ca = await file('ca.pem', authority.cert);
});
afterAll(() => cleanUp.disposeAsync());

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

const certificateOf = (kind: Kind) =>
  kind === 'expired' ? certificate('localhost', authority, true) : certificate('other.test', authority);

/** Files of certificate and key, as flags. */
async function tlsFlags(kind: Kind): Promise<string[]> {
  const { cert, key } = await certificateOf(kind);
  return ['--tls-certificate', await file(`${kind}.pem`, cert), '--tls-key', await file(`${kind}.key`, key)];
}

describe.each(KINDS)('a certificate that is %s', (kind) => {
  it('of a server is told to the program that calls it', async () => {
    const server = await spawnTrainer({
      args: ['--listen', '127.0.0.1:0', '--store', 'memory:', '--backend', 'cpu', ...(await tlsFlags(kind))],
      env: withoutSettings(),
    });
    try {
      const address = server.address.replace('127.0.0.1', 'localhost');
      const options = { address, tls: { ca: authority.cert }, connectTimeout: 2_000 };
      const failed = await rejection<Error>(GlocalClient.connect(options));
      expect(failed.message).toMatch(SAYS[kind]);
      expect(failed.message).toContain(address);
    } finally {
      await server.stop();
    }
  });

  it('of a DMD service is told by GetServerInfo and in the log', async () => {
    await using dmd = await startedDmd(kind);
    const log: string[] = [];
    const server = await spawnTrainer({
      args: [
        ...['--listen', '127.0.0.1:0', '--store', 'memory:', '--backend', 'cpu'],
        ...['--dmd-address', dmd.address, '--dmd-tls-ca', ca],
      ],
      env: withoutSettings(),
      log: (line) => log.push(line),
    });
    try {
      await using client = await GlocalClient.connect({ address: server.address });
      await expect
        .poll(async () => (await client.serverInfo()).dmd?.reason, { timeout: 30_000 })
        .toMatch(SAYS[kind]);
      expect(log.join('\n')).toMatch(SAYS[kind]);
    } finally {
      await server.stop();
    }
  });

  it('of a database ends the start, with what to correct', async () => {
    await using postgres = await TestPostgres.start({}, await certificateOf(kind));
    const url = new URL(postgres.url());
    url.hostname = 'localhost';
    const { exitCode, stderr } = await execa(
      process.execPath,
      [
        MAIN,
        '--store',
        `${url}?sslmode=verify-full&sslrootcert=${ca}`,
        '--listen',
        '127.0.0.1:0',
        '--backend',
        'cpu',
      ],
      { env: withoutSettings(), reject: false },
    );
    expect(stderr).toMatch(SAYS[kind]);
    expect(stderr).toMatch(/correct sslmode and sslrootcert in --store/);
    expect(exitCode).toBe(UNAVAILABLE);
  });
});

async function startedDmd(kind: Kind) {
  const dmd = await startDmd({ args: await tlsFlags(kind) });
  return {
    address: dmd.address.replace('127.0.0.1', 'localhost'),
    [Symbol.asyncDispose]: () => dmd.stop(),
  };
}
