/** The trainer as a command: what it prints, and the exit codes of a server that does not come up. */

import { createHash } from 'node:crypto';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withoutSettings } from '../support/environment.ts';
import { deadAddress, takenAddress } from '../support/ports.ts';
import { firstLine } from '../support/processes.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';

const MAIN = fileURLToPath(import.meta.resolve('@glocal/trainer/main'));
const USAGE = 64;
const UNAVAILABLE = 69;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

/** Runs a trainer that is not expected to stay. */
function run(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  return execa(process.execPath, [MAIN, ...args], {
    env: { ...withoutSettings(), GLOCAL_LOG_LEVEL: 'warn', ...env },
    reject: false,
    timeout: 50_000,
  });
}

const free = ['--listen', '127.0.0.1:0'];
const store = (name: string) => ['--store', join(folder.path, name)];

describe('the command', () => {
  it('lists its flags and their variables with --help', async () => {
    const { stdout, stderr, exitCode } = await run(['--help']);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    for (const flag of ['listen', 'store', 'dmd-address', 'dmd-binary', 'backend', 'max-steps', 'insecure']) {
      expect(stdout).toContain(`--${flag} `);
      expect(stdout).toContain(`GLOCAL_${flag.toUpperCase().replaceAll('-', '_')}`);
    }
    expect(stdout.match(/makes (a token|tokens)/g), 'the command token, once').toEqual(['makes a token']);
  });

  it('prints its version with --version', async () => {
    const manifest = await readFile(
      new URL('../package.json', import.meta.resolve('@glocal/trainer/main')),
      'utf8',
    );
    const { stdout, exitCode } = await run(['--version']);
    expect({ stdout, exitCode }).toEqual({ stdout: JSON.parse(manifest).version, exitCode: 0 });
  });

  it('prints one line to standard output once it is ready, and logs to standard error', async () => {
    const trainer = run([...free, ...store('one-line.db')], { GLOCAL_LOG_LEVEL: 'info' });
    const line = await firstLine(trainer.stdout);
    expect(line).toMatch(/^glocal-trainer listening on 127\.0\.0\.1:\d+$/);
    trainer.kill('SIGTERM');
    const { stdout, stderr, exitCode } = await trainer;
    expect({ stdout, exitCode }).toEqual({ stdout: line, exitCode: 0 });
    const logged = stderr.split('\n').map((text) => JSON.parse(text) as { msg: string; pid: number });
    expect(logged.map(({ msg }) => msg)).toEqual(['DMD service ready', 'trainer ready', 'stopping']);
    expect(new Set(logged.map(({ pid }) => pid))).toEqual(new Set([trainer.pid]));
  });
});

/** Ends with the exit code, and one line on standard error that says why. */
async function expectRefused(
  code: number,
  args: readonly string[],
  says: string | RegExp,
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  const { stdout, stderr, exitCode } = await run(args, env);
  expect(stderr).toMatch(/^glocal-trainer: .+$/);
  expect(stderr).toMatch(says);
  expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: code });
}

describe('a configuration that is wrong ends with exit code 64 and one line', () => {
  it('that names the flag', () => expectRefused(USAGE, ['--max-steps', 'many'], /--max-steps.*'many'/));

  it('that names the variable', () =>
    expectRefused(USAGE, [], /'-1' from env 'GLOCAL_MAX_STEPS'/, { GLOCAL_MAX_STEPS: '-1' }));

  it('that names the setting whose file cannot be used', () =>
    expectRefused(
      USAGE,
      ['--tls-certificate', MAIN, '--tls-key', MAIN],
      /--tls-certificate \(GLOCAL_TLS_CERTIFICATE\): the file has no PEM block CERTIFICATE/,
    ));

  it('that names the address which others reach', () =>
    expectRefused(USAGE, ['--listen', '0.0.0.0:0'], /0\.0\.0\.0 can be reached from other machines/));
});

describe('glocal-trainer token', () => {
  const hashOf = (token: string) => createHash('sha256').update(token).digest('hex');

  it('prints a token, and the line for the file, which does not have it', async () => {
    const { stdout, stderr, exitCode } = await run(['token', '--owner', 'ada', '--role', 'read']);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    const [token = '', ...rest] = stdout.split('\n');
    expect(token).toMatch(/^glocal_[\w-]{43}$/);
    expect(rest.at(-1)).toBe(`${hashOf(token)} ada read`);
  });

  it('prints the token alone when it is told the file, to which it adds the line', async () => {
    const file = join(folder.path, 'tokens');
    // Somebody's editor has not ended the last line.
    await writeFile(file, '# ours');
    const { stdout: token } = await run(['token', '--owner', 'ada', '--file', file]);
    expect(await readFile(file, 'utf8')).toBe(`# ours\n${hashOf(token)} ada write\n`);
  });

  it.each([
    [['--role', 'read'], /--owner/],
    [['--owner', 'a b'], /--owner .*1 to 200 visible characters/],
    [['--owner', 'ada', '--role', 'owner'], /--role .*read, write, admin/],
    [['--owner', 'ada', '--days', '0'], /--days/],
    [['--owner', 'ada', '--file', '/nowhere/tokens'], /^glocal-trainer: --file: ENOENT/],
  ])('refuses %j', (args, says) => expectRefused(USAGE, ['token', ...args], says));
});

describe('a server that cannot come up ends with exit code 69 and one line', () => {
  it('when its port is in use', async () => {
    await using taken = await takenAddress();
    const { address } = taken;
    await expectRefused(
      UNAVAILABLE,
      ['--listen', address, ...store('port.db')],
      `cannot listen on ${address}: the port is in use; stop what listens there or choose another with --listen`,
    );
  });

  it('when another server has its store', async () => {
    await using trainer = await TestTrainer.start();
    await expectRefused(
      UNAVAILABLE,
      [...free, '--store', trainer.store],
      `store ${trainer.store}: another server has it open; stop that one or choose another file`,
    );
    expect((await trainer.client.serverInfo()).version).not.toBe('');
  });

  it('when its store is no database', async () => {
    await writeFile(
      join(folder.path, 'notes.txt'),
      'not a database, but long enough to have a header\n'.repeat(50),
    );
    await expectRefused(
      UNAVAILABLE,
      [...free, ...store('notes.txt')],
      /store .*notes\.txt: file is not a database/,
    );
  });

  it('when the DMD service is not built, saying how to build it', async () => {
    await expectRefused(
      UNAVAILABLE,
      [...free, ...store('dmd.db'), '--dmd-binary', join(folder.path, 'nowhere')],
      /the DMD service is not at \S+nowhere: build it with `cargo build --release -p glocal-dmd`, or set GLOCAL_DMD_BINARY/,
    );
  });

  it('when the DMD service is a file that does not run', async () => {
    const file = join(folder.path, 'plain');
    await writeFile(file, 'nothing to run');
    await expectRefused(
      UNAVAILABLE,
      [...free, ...store('dmd.db'), '--dmd-binary', file],
      /the DMD service did not start: .*plain EACCES/,
    );
  });

  it('when the DMD service ends at once, with its last words', async () => {
    const file = join(folder.path, 'sick');
    await writeFile(file, '#!/bin/sh\necho "a library is missing" >&2\nexit 3\n');
    await chmod(file, 0o755);
    await expectRefused(
      UNAVAILABLE,
      [...free, ...store('dmd.db'), '--dmd-binary', file],
      'the DMD service did not start: it ended with exit code 3: a library is missing',
    );
  });
});

describe('glocal-trainer data', () => {
  const env = () => ({ GLOCAL_CACHE_DIR: join(folder.path, 'no-cache') });

  it('says which data sets are here', async () => {
    const { stdout, exitCode } = await run(['data'], env());
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^fashion-mnist-10k +here$/m);
    expect(stdout).toMatch(/^cifar100 +lacks train\.bin, test\.bin; a trial would try to download it$/m);
  });

  it('checks those that are named, and says all that cannot be used, with code 69', async () => {
    const { stdout, stderr, exitCode } = await run(['data', 'fashion-mnist-10k', 'imagenet'], env());
    expect(stdout).toMatch(/^fashion-mnist-10k +10000 training and 2000 test examples$/);
    expect(stderr).toMatch(/^glocal-trainer: there is no data set "imagenet"; one of /);
    expect(exitCode).toBe(UNAVAILABLE);
  });
});

describe('glocal-trainer check', () => {
  it('prints the settings with where they come from, and what it found, and makes nothing', async () => {
    const file = join(folder.path, 'new', 'studies.db');
    const { stdout, stderr, exitCode } = await run(['check', '--store', file], { GLOCAL_MAX_STEPS: '7' });
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    const lines = stdout.split('\n');
    expect(lines).toContain(`store = ${file} (flag)`);
    expect(lines).toContain('max_steps = 7 (variable)');
    expect(lines).toContain('max_running_trials = 1 (default)');
    expect(lines).toContain(`store (${file} can be made)`);
    expect(stdout).toMatch(/^DMD service \(.*glocal-dmd is glocal-dmd \d/m);
    await expect(readFile(file)).rejects.toThrow('ENOENT');
  });

  it('says all that a server would miss, with code 69', async () => {
    const file = join(folder.path, 'text.db');
    await writeFile(file, 'not a database, but long enough');
    const { stderr, exitCode } = await run(['check', '--store', file, '--dmd-binary', '/nowhere/dmd']);
    expect(stderr).toMatch(/^glocal-trainer: store: .*text\.db is no SQLite file; DMD service: .*ENOENT/);
    expect(exitCode).toBe(UNAVAILABLE);
  });

  it('refuses a setting that is wrong with code 64', () =>
    expectRefused(USAGE, ['check', '--max-steps', '0'], /--max-steps/));

  it('asks a server that runs for its health', async () => {
    await using trainer = await TestTrainer.start();
    const healthy = await run(['check', '--address', trainer.address]);
    expect(pick(healthy)).toEqual({ stdout: 'SERVING', stderr: '', exitCode: 0 });
    const alive = await run(['check', '--address', trainer.address, '--service', '']);
    expect(pick(alive)).toEqual({ stdout: 'SERVING', stderr: '', exitCode: 0 });
  });

  it('says with code 69 that nobody answers', async () => {
    const address = await deadAddress();
    await expectRefused(
      UNAVAILABLE,
      ['check', '--address', address, '--timeout', '3'],
      `${address} answered UNAVAILABLE`,
    );
  });

  it('lists its flags with --help', async () => {
    const { stdout, exitCode } = await run(['check', '--help']);
    expect(exitCode).toBe(0);
    for (const flag of ['address', 'service', 'tls-ca', 'timeout']) expect(stdout).toContain(`--${flag} `);
  });
});

const pick = ({ stdout, stderr, exitCode }: Awaited<ReturnType<typeof run>>) => ({
  stdout,
  stderr,
  exitCode,
});
