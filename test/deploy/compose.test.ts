/** deploy/compose: what its file says is what programs know, and what it says to others is true. */

import { mkdtempDisposable, readdir, readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it, vi } from 'vitest';
import { composeFolder, imageName, readCompose } from './compose/services.ts';
import { flagsOf, settingsOf } from './programs.ts';

const compose = readCompose();
const services = Object.entries(compose.services);

// Programs are asked for their help.
vi.setConfig({ testTimeout: 240_000 });

describe('the compose file', () => {
  it.each(services)('gives %s flags and variables that its program knows', async (_, service) => {
    const image = imageName(service.image);
    if (image.includes('postgres')) return;
    const flags = (service.command ?? []).filter((argument) => argument.startsWith('--'));
    expect(await flagsOf(image)).toEqual(expect.arrayContaining(flags));
    const known = await settingsOf(image);
    expect(known).toEqual(expect.arrayContaining(Object.keys(service.environment ?? {})));
  });

  it.each(services)('lets %s be reached from this machine alone', (_, { ports = [] }) => {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it('mounts secrets and volumes that it has', () => {
    for (const [, { secrets = [], volumes = [] }] of services) {
      expect(Object.keys(compose.secrets)).toEqual(expect.arrayContaining([...secrets]));
      const names = volumes.map((volume) => volume.split(':')[0]);
      expect(Object.keys(compose.volumes)).toEqual(expect.arrayContaining(names));
    }
  });

  it.each(services)('lets %s end in order', (_, { stop_grace_period, environment = {} }) => {
    const drain = Number(environment.GLOCAL_DRAIN_SECONDS ?? 5);
    if (stop_grace_period !== undefined)
      expect(Number.parseInt(stop_grace_period, 10)).toBeGreaterThan(drain + 10);
  });
});

describe.skipIf(process.platform === 'win32')('secrets.sh', () => {
  it('makes what the file mounts, for nobody else to read, and does not overwrite it', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'glocal-compose-'));
    const script = join(folder.path, 'secrets.sh');
    await execa('cp', [join(composeFolder, 'secrets.sh'), script]);
    await execa('sh', [script]);
    const made = await readdir(join(folder.path, 'secrets'));
    for (const { file } of Object.values(compose.secrets))
      expect(made).toContain(file.replace('./secrets/', ''));
    expect((await stat(join(folder.path, 'secrets'))).mode & 0o077).toBe(0);
    const inSecrets = (name: string) => join(folder.path, 'secrets', name);
    expect((await stat(inSecrets('token'))).mode & 0o077).toBe(0);
    expect((await stat(inSecrets('ca.key'))).mode & 0o077).toBe(0);
    expect(await readFile(inSecrets('tokens'), 'utf8')).toMatch(/^[0-9a-f]{64} \S+ admin\n$/);
    const verified = await execa('openssl', [
      'verify',
      '-CAfile',
      inSecrets('ca.pem'),
      inSecrets('server.pem'),
    ]);
    expect(verified.stdout).toContain('OK');
    const again = await execa('sh', [script], { reject: false });
    expect(again.exitCode).toBe(1);
    expect(again.stderr).toContain('is there already');
  });
});
