/** `glocal doctor` on set-ups that are broken, each in its own way: it names the one thing that repairs it. */

import { spawnSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startScriptedServer } from '../sdk/support/scripted-server.ts';
import { certificate } from '../support/certificates.ts';
import { canFillDisk, fillDisk, freeDisk } from '../support/disk.ts';
import { environmentOfGlocal, GLOCAL, glocal } from '../support/glocal.ts';
import { deadAddress, takenAddress } from '../support/ports.ts';
import { SERVER_NAME, SecureTrainer, SecurityFiles } from '../support/security.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';

/** Whether this machine lets everybody have mounts of their own. */
const canMountMemory: boolean =
  spawnSync('unshare', ['--user', '--map-root-user', '--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'])
    .status === 0;

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

/** A file with a study on a data set. */
async function studyOf(dataset: string): Promise<string> {
  const file = join(folder, `${dataset.replaceAll('/', '-')}.yaml`);
  const lines = [
    `problem: { dataset: ${dataset}, model: mlp, optimizer: sgd }`,
    'space: { lr: { min: 0.001, max: 1, init: 0.02 } }',
    'training: { steps: 100 }',
    'method: { estimator: glocal }',
  ];
  await writeFile(file, lines.join('\n'));
  return file;
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

  it('may be reached by certificates and a token: its health and its clock, too', async () => {
    await using own = await temporaryFolder();
    const files = await SecurityFiles.make(own.path);
    await files.write('mine', await files.token('ada'));
    const ofAda = await certificate('ada.test', files.authority);
    await files.write('ada.pem', ofAda.cert);
    await files.write('ada.key', ofAda.key);
    await using secure = await SecureTrainer.start(files, [
      ...files.tls({ mutual: true }),
      ...files.tokens(),
    ]);
    const { findings } = await examined(
      ...['--address', secure.address, '--tls-ca', files.path('ca.pem'), '--tls-server-name', SERVER_NAME],
      ...['--tls-cert', files.path('ada.pem'), '--tls-key', files.path('ada.key')],
      ...['--token-file', files.path('mine')],
    );
    for (const check of ['server', 'store', 'clock'])
      expect(findings).toContainEqual(expect.objectContaining({ check, severity: 'good' }));
  });

  it('is told in words', async () => {
    const { stdout } = await glocal(['doctor', '--address', trainer.address]);
    expect(stdout).toMatch(/^✓ server +\S+ answers$/m);
  });
});

describe('a set-up that is broken', () => {
  it('has no server', async () => {
    const address = await deadAddress();
    const { exitCode, faults } = await examined('--address', address);
    expect(exitCode).toBe(1);
    const repair = `glocal serve --listen ${address}`;
    expect(faults).toEqual([expect.objectContaining({ check: 'server', repair })]);
  });

  it('has a server without TLS, which is asked for', async () => {
    const { faults } = await examined('--address', trainer.address, '--tls');
    const repair = `glocal doctor --address ${trainer.address}`;
    expect(faults).toEqual([expect.objectContaining({ check: 'server', repair })]);
    expect(faults[0]?.detail).not.toContain('\n');
  });

  it('has a file that is not a study, or is not there', async () => {
    const file = join(folder, 'broken.yaml');
    await writeFile(file, 'space: { lr: [');
    const broken = await examined('--address', trainer.address, '-f', file);
    expect(broken.faults[0]).toMatchObject({
      ...{ check: 'study', detail: expect.stringContaining(`${file}: line 1`) },
      repair: `correct it in ${file}, then: glocal doctor -f ${file} --address ${trainer.address}`,
    });
    const { faults } = await examined('--address', trainer.address, '-f', join(folder, 'none.yaml'));
    expect(faults).toEqual([
      expect.objectContaining({ check: 'study', repair: expect.stringContaining('a file that is there') }),
    ]);
  });

  it('has a token file that is not there', async () => {
    const { faults } = await examined('--address', trainer.address, '--token-file', join(folder, 'none'));
    expect(faults).toEqual([
      expect.objectContaining({
        repair: expect.stringMatching(/glocal token --owner .*--token-file my-token$/),
      }),
    ]);
  });

  it('has no folder for temporary files', async () => {
    const { exitCode, stdout } = await glocal(['doctor', '--json', '--address', trainer.address], {
      env: { TMPDIR: join(folder, 'no-such-folder') },
    });
    const { findings }: { findings: Finding[] } = JSON.parse(stdout);
    expect(exitCode).toBe(1);
    expect(findings.find(({ check }) => check === 'temporary files')).toMatchObject({
      ...{ severity: 'fault', repair: expect.stringMatching(/^mkdir -p /) },
    });
  });

  it('has a working folder that was deleted', async () => {
    const gone = join(folder, 'gone');
    await mkdir(gone);
    const command = [process.execPath, GLOCAL, 'doctor', '--json', '--address', trainer.address];
    const { exitCode, stdout } = await execa(
      'sh',
      ['-c', 'cd "$0" && rmdir "$0" && exec "$@"', gone, ...command],
      {
        env: environmentOfGlocal(),
        reject: false,
      },
    );
    const { findings }: { findings: Finding[] } = JSON.parse(stdout);
    expect(exitCode).toBe(1);
    expect(findings.filter(({ severity }) => severity === 'fault')).toEqual([
      expect.objectContaining({ check: 'disk', detail: 'the working folder is not there any more' }),
    ]);
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
    const file = await studyOf('user/flowers');
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

  describe('has a server whose data sets have lost files:', () => {
    let bare: TestTrainer;
    let data: string;
    beforeAll(async () => {
      data = join(folder, 'bare');
      await mkdir(join(data, 'flowers'), { recursive: true });
      const manifest = {
        format: 'csv',
        classes: ['a', 'b'],
        train: 'all.csv',
        testFraction: 0.5,
        label: 'y',
      };
      await writeFile(join(data, 'flowers', 'dataset.json'), JSON.stringify(manifest));
      await writeFile(join(data, 'flowers', 'all.csv'), `x,y\n${'1,a\n2,b\n'.repeat(300)}`);
      // No cache of whoever runs the test, which may have all of them; the native runtime is there, too.
      const env = { GLOCAL_DATA_DIR: data, GLOCAL_CACHE_DIR: join(folder, 'cache') };
      bare = await TestTrainer.start({ args: ['--backend', 'wasm'], env });
    });
    afterAll(() => bare?.[Symbol.asyncDispose]());

    const dataFindings = async (...args: string[]) => {
      const { exitCode, findings } = await examined('--address', bare.address, ...args);
      return { exitCode, found: findings.filter(({ check }) => check === 'data sets') };
    };

    it('those of Fashion-MNIST a trial would try to download', async () => {
      const { exitCode, found } = await dataFindings('-f', await studyOf('fashion-mnist'));
      expect(exitCode).toBe(0);
      expect(found).toEqual([
        {
          ...{ check: 'data sets', severity: 'good' },
          detail: expect.stringMatching(
            /^fashion-mnist-10k, flowers; downloaded when a trial needs them: fashion-mnist, mnist, cifar10, cifar100; /,
          ),
        },
        {
          ...{ check: 'data sets', severity: 'warning' },
          detail: expect.stringMatching(
            /^fashion-mnist lacks train-images-idx3-ubyte\.gz, .*: the first trial will try to download them$/,
          ),
          repair: expect.stringMatching(/ data fashion-mnist, on the server's machine, .*GLOCAL_DATA_DIR/),
        },
      ]);
      const set = join(data, 'fashion-mnist');
      await mkdir(set);
      const names = ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1'];
      for (const name of names) await writeFile(join(set, `${name}-ubyte`), '');
      const again = await dataFindings('-f', await studyOf('fashion-mnist'));
      expect(again.found.at(-1)).toEqual({
        ...{ check: 'data sets', severity: 'good' },
        detail: "fashion-mnist is on the server's machine",
      });
    });

    it("those of a user's set nobody has", async () => {
      const whole = await dataFindings('-f', await studyOf('flowers'));
      expect(whole).toMatchObject({ exitCode: 0, found: [{ severity: 'good' }, { severity: 'good' }] });
      await rm(join(data, 'flowers', 'all.csv'));
      const { exitCode, found } = await dataFindings();
      expect(exitCode).toBe(1);
      expect(found.at(-1)).toEqual({
        ...{ check: 'data sets', severity: 'fault', detail: 'flowers lacks all.csv: trials on it will fail' },
        repair: 'put all.csv back into GLOCAL_DATA_DIR/flowers',
      });
    });
  });

  it('has a clock that is an hour ahead', async () => {
    const ahead = `const D = Date, H = 3600e3; globalThis.Date = class extends D {
      constructor(...given) { given.length > 0 ? super(...given) : super(D.now() + H); }
      static now() { return D.now() + H; } };`;
    const preload = `data:text/javascript,${encodeURIComponent(ahead)}`;
    const { exitCode, stdout } = await glocal(['doctor', '--json', '--address', trainer.address], {
      env: { NODE_OPTIONS: `--import=${preload}` },
    });
    const { findings }: { findings: Finding[] } = JSON.parse(stdout);
    expect(exitCode).toBe(1);
    expect(findings.filter(({ severity }) => severity === 'fault')).toEqual([
      {
        ...{ check: 'clock', severity: 'fault', repair: 'sudo timedatectl set-ntp true' },
        detail: expect.stringMatching(/^this clock is 3(599|600|601) s ahead of the server's$/),
      },
    ]);
  });

  it.skipIf(!canFillDisk)('has a server whose disk is full', async () => {
    await using full = await TestTrainer.start();
    fillDisk(full.pid);
    const { exitCode } = await glocal([
      ...['study', 'create', '--address', full.address, '-f', await studyOf('fashion-mnist-10k')],
      ...['--timeout', '5'],
    ]);
    expect(exitCode).toBe(69);
    const { faults } = await examined('--address', full.address);
    const repair = `df -h; glocal serve --listen ${full.address}`;
    expect(faults).toEqual([expect.objectContaining({ check: 'store', repair })]);
    freeDisk(full.pid);
  });

  it.skipIf(!canMountMemory)('has a small disk', async () => {
    const small = join(folder, 'small');
    await mkdir(small);
    const command = [process.execPath, GLOCAL, 'doctor', '--json', '--address', trainer.address];
    const { exitCode, stdout } = await execa(
      'unshare',
      [
        ...['--user', '--map-root-user', '--mount', 'sh', '-c'],
        ...[`mount -t tmpfs -o size=1m tmpfs "$0" && cd "$0" && exec "$@"`, small, ...command],
      ],
      { env: environmentOfGlocal(), reject: false },
    );
    const { findings }: { findings: Finding[] } = JSON.parse(stdout);
    expect(exitCode).toBe(0);
    expect(findings.find(({ check }) => check === 'disk')).toEqual({
      ...{ check: 'disk', severity: 'warning' },
      detail: `only 0.0 GB free in ${small}`,
      repair: `du -xh ${small} | sort -h | tail`,
    });
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
      expect.objectContaining({
        check: 'server',
        repair: expect.stringMatching(
          new RegExp(
            `^glocal token --owner .*; glocal doctor --address ${secure.address} .*--token-file my-token$`,
          ),
        ),
      }),
    ]);
    const plain = await examined('--address', secure.address);
    expect(plain.faults).toEqual([
      expect.objectContaining({ check: 'server', repair: expect.stringContaining('--tls-ca CA.pem') }),
    ]);
  });
});
