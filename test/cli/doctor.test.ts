/** `glocal doctor` on set-ups that are broken, each in its own way: it names the one thing that repairs it. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startScriptedServer } from '../sdk/support/scripted-server.ts';
import { glocal } from '../support/glocal.ts';
import { deadAddress, takenAddress } from '../support/ports.ts';
import { SERVER_NAME, SecureTrainer, SecurityFiles } from '../support/security.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';

interface Finding {
  readonly check: string;
  readonly severity: string;
  readonly detail: string;
  readonly repair?: string;
}

const cleanUp = new AsyncDisposableStack();
let folder: string;
/** One that lacks nothing. */
let trainer: TestTrainer;
beforeAll(async () => {
  folder = cleanUp.use(await temporaryFolder()).path;
  await mkdir(join(folder, 'data'));
  trainer = cleanUp.use(await TestTrainer.start({ env: { GLOCAL_DATA_DIR: join(folder, 'data') } }));
});
afterAll(() => cleanUp.disposeAsync());

/** Its exit code, what it printed, and the faults that it found. */
async function examined(...args: string[]) {
  const { exitCode, stdout, stderr } = await glocal(['doctor', '--json', ...args]);
  const { findings }: { findings: Finding[] } = JSON.parse(stdout);
  return { exitCode, stderr, findings, faults: findings.filter(({ severity }) => severity === 'fault') };
}

describe('a set-up that is whole', () => {
  it('has no fault, and every check has looked', async () => {
    const { exitCode, findings, stderr } = await examined('--address', trainer.address);
    expect(exitCode, stderr).toBe(0);
    const severities = Object.fromEntries(findings.map(({ check, severity }) => [check, severity]));
    expect(severities).toMatchObject({
      ...{ program: 'good', server: 'good', version: 'good', 'DMD service': 'good', 'data sets': 'good' },
      ...{ store: 'good', clock: 'good', disk: expect.stringMatching(/good|warning/) },
    });
    expect(severities.runtime).toMatch(/good|warning/);
  });

  it('is told in words', async () => {
    const { stdout } = await glocal(['doctor', '--address', trainer.address]);
    expect(stdout).toMatch(/^✓ server +\S+ answers$/m);
  });
});

describe('a set-up that is broken', () => {
  it('has no server', async () => {
    const { exitCode, faults } = await examined('--address', await deadAddress());
    expect(exitCode).toBe(1);
    expect(faults).toEqual([expect.objectContaining({ check: 'server', repair: 'glocal serve' })]);
  });

  it('has a server without its DMD service', async () => {
    const dmd = await deadAddress();
    await using lame = await TestTrainer.start({ args: ['--dmd-address', dmd] });
    const { exitCode, faults, findings } = await examined('--address', lame.address);
    expect(exitCode).toBe(1);
    expect(faults).toEqual([
      expect.objectContaining({ check: 'DMD service', repair: `glocal-dmd serve --listen ${dmd}` }),
    ]);
    expect(findings.find(({ check }) => check === 'store')?.severity).toBe('unknown');
  });

  it('has another server at the address', async () => {
    const other = new Server();
    const port = await new Promise<number>((resolve, reject) =>
      other.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      ),
    );
    try {
      const { exitCode, faults } = await examined('--address', `127.0.0.1:${port}`);
      expect(exitCode).toBe(1);
      expect(faults).toEqual([
        expect.objectContaining({
          check: 'server',
          detail: expect.stringContaining('not a Glocal trainer'),
          repair: 'glocal doctor --address HOST:PORT',
        }),
      ]);
    } finally {
      other.forceShutdown();
    }
  });

  it('has a server of another version', async () => {
    const old = await startScriptedServer({
      getServerInfo: (_call, callback) =>
        callback(null, {
          ...{ version: '7.1.0', backend: 'test', dmdAddress: '' },
          ...{ limits: undefined, dmd: undefined, caller: undefined },
        }),
    });
    try {
      const { exitCode, faults } = await examined('--address', old.address);
      expect(exitCode).toBe(1);
      expect(faults).toEqual([
        expect.objectContaining({ check: 'version', repair: 'npm install @glocal/cli@7' }),
      ]);
    } finally {
      await old.stop();
    }
  });

  it('has something at the address that says nothing', async () => {
    await using taken = await takenAddress();
    const { faults } = await examined('--address', taken.address);
    expect(faults).toEqual([
      expect.objectContaining({ detail: expect.stringContaining('something listens at') }),
    ]);
  });

  it('lacks the data that a study names', async () => {
    const file = join(folder, 'study.yaml');
    await writeFile(
      file,
      [
        'problem: { dataset: user/flowers, model: mlp, optimizer: sgd }',
        'space: { lr: { min: 0.001, max: 1, init: 0.02 } }',
        'training: { steps: 100 }',
        'method: { estimator: glocal }',
      ].join('\n'),
    );
    const { exitCode, faults } = await examined('--address', trainer.address, '-f', file);
    expect(exitCode).toBe(1);
    expect(faults).toEqual([
      expect.objectContaining({
        check: 'data sets',
        detail: expect.stringContaining('problem.dataset'),
        repair: expect.stringContaining('GLOCAL_DATA_DIR='),
      }),
    ]);
  });

  it('has a server that does not know the token', async () => {
    const files = await SecurityFiles.make(folder);
    await files.token('somebody');
    await using secure = await SecureTrainer.start(files, [...files.tls(), ...files.tokens()]);
    await files.write('mine', 'glocal_not-one-of-them');
    const tls = ['--tls-ca', files.path('ca.pem'), '--tls-server-name', SERVER_NAME];
    const { exitCode, faults } = await examined(
      ...['--address', secure.address, ...tls, '--token-file', files.path('mine')],
    );
    expect(exitCode).toBe(1);
    expect(faults).toEqual([
      expect.objectContaining({ check: 'server', repair: expect.stringContaining('glocal token --owner') }),
    ]);
    const plain = await examined('--address', secure.address);
    expect(plain.faults).toEqual([
      expect.objectContaining({ check: 'server', repair: expect.stringContaining('--tls-ca CA.pem') }),
    ]);
  });
});
