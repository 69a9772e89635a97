/** What the command line does on this machine: help, exit codes, completion, serving, tokens, and a first project. */

import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { environmentOfGlocal, GLOCAL, glocal, start } from '../support/glocal.ts';
import { deadAddress } from '../support/ports.ts';
import { descendants, expectGone } from '../support/processes.ts';
import { temporaryFolder } from '../support/trainer.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const cleanUp = new AsyncDisposableStack();
let folder: string;
beforeAll(async () => {
  folder = cleanUp.use(await temporaryFolder()).path;
});
afterAll(() => cleanUp.disposeAsync());

describe('the command line', () => {
  it('explains itself, with every exit code, which README has too', async () => {
    const { stdout, exitCode } = await glocal(['--help']);
    expect(exitCode).toBe(0);
    const [, table = ''] = stdout.split('Exit codes:\n');
    const codes = [...table.matchAll(/^ +(\d+) {2}(.+)$/gm)];
    expect(codes.map(([, code]) => code)).toEqual([
      '0',
      '1',
      '64',
      '65',
      '66',
      '69',
      '70',
      '75',
      '77',
      '130',
    ]);
    const readme = await readFile(join(root, 'cli/README.md'), 'utf8');
    for (const [, code, meaning] of codes) expect(readme).toContain(`| ${code} | ${meaning} |`);
  });

  it.each([
    [['study', 'lst']],
    [['study', 'list', '--limt', '3']],
    [['study', 'list', '--limit', 'three']],
    [['study', 'get']],
    [['study', 'get', 'a', 'b']],
  ])('refuses what it does not know: %j', async (args) => {
    const { exitCode, stderr, stdout } = await glocal(args);
    expect(exitCode).toBe(64);
    expect(stderr).toMatch(/^error: /);
    expect(stdout).toBe('');
  });

  it('says that there is no server, and ends with 69', async () => {
    const address = await deadAddress();
    const { exitCode, stderr } = await glocal(['study', 'list', '--address', address, '--timeout', '1']);
    expect(exitCode).toBe(69);
    expect(stderr).toContain(address);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it.each(['bash', 'zsh', 'fish'])('has a completion for %s', async (shell) => {
    const { stdout, exitCode } = await glocal(['completion', shell]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('glocal');
  });

  it('has a completion that bash may read twice', async () => {
    const { stdout } = await glocal(['completion', 'bash']);
    const { exitCode, stderr } = await execa('bash', ['-c', 'eval "$0"; eval "$0"', stdout], {
      reject: false,
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  it('completes commands and flags', async () => {
    const words = async (...args: string[]) => {
      const { stdout } = await glocal(['complete', '--', ...args]);
      return stdout.split('\n').map((line) => line.split('\t')[0]);
    };
    expect(await words('stu')).toContain('study');
    expect(await words('study', 'c')).toEqual(expect.arrayContaining(['create', 'cancel', 'compare']));
    expect(await words('study', 'watch', '--cur')).toContain('--cursor');
    expect(await words('schedule', 'plot', '--what', '')).toEqual(
      expect.arrayContaining(['losses', 'spectrum']),
    );
    expect(await words('study', 'list', '--state', '')).toContain('completed');
    expect(await words('window', 'reanalyze', '--variant', '')).toContain('hankel');
    expect(await words('completion', '')).toEqual(['bash', 'zsh', 'fish', ':4']);
  });

  it.each([
    [['study', 'create', '-f', '']],
    [['study', 'create', '--watch', '--tls-ca', 'c']],
    [['schedule', 'plot', 'STUDY', '--out', 'p']],
    [['init', '']],
  ])('leaves names of files to the shell: %j', async (words) => {
    const { stdout } = await glocal(['complete', '--', ...words]);
    // No proposals, and the directive that lets the shell make its own.
    expect(stdout).toBe(':0');
  });
});

describe('glocal token', () => {
  it("makes a token, and its line for the server's file", async () => {
    const file = join(folder, 'tokens');
    const { stdout } = await glocal(['token', '--owner', 'ada', '--file', file, '--json']);
    const { token } = JSON.parse(stdout);
    expect(token).toMatch(/^glocal_/);
    expect(await readFile(file, 'utf8')).toMatch(/^[0-9a-f]{64} ada write\n$/);
    const both = JSON.parse((await glocal(['token', '--owner', 'bob', '--role', 'read', '--json'])).stdout);
    expect(both.line).toMatch(/^[0-9a-f]{64} bob read$/);
    expect((await glocal(['token'])).exitCode).toBe(64);
  });

  it('is not taken where its line is', async () => {
    const file = join(folder, 'hashes');
    await writeFile(file, 'abc ada write\n');
    const { exitCode, stderr } = await glocal(['study', 'list', '--token-file', file]);
    expect(exitCode).toBe(65);
    expect(stderr).toContain('a token and nothing else');
  });
});

describe('glocal serve', () => {
  it('runs the trainer with its flags, says where, and ends it with itself', async () => {
    const args = [GLOCAL, 'serve', '--json', '--listen', '127.0.0.1:0', '--store', 'memory:'];
    const { running, line } = start(process.execPath, args, folder, {});
    const { address, pid } = JSON.parse(await line(/address/));
    expect((await glocal(['study', 'list', '--address', address])).stdout).toBe('no studies');
    const started = descendants(running.pid ?? 0);
    expect(started.map((child) => child.pid)).toContain(pid);
    running.kill('SIGINT');
    expect((await running).exitCode).toBe(0);
    await expectGone(started);
  });

  it('says that the trainer was killed, which is no end that anybody wanted', async () => {
    const args = [GLOCAL, 'serve', '--json', '--listen', '127.0.0.1:0', '--store', 'memory:'];
    const { running, line } = start(process.execPath, args, folder, {});
    const { pid } = JSON.parse(await line(/address/));
    process.kill(pid, 'SIGKILL');
    const { exitCode, stderr } = await running;
    expect(exitCode).toBe(70);
    expect(stderr).toContain('the trainer was ended by SIGKILL');
  });

  it('passes on what the trainer refuses', async () => {
    const { exitCode, stderr } = await glocal(['serve', '--max-stps', '3']);
    expect(exitCode).toBe(64);
    expect(stderr).toContain('--max-stps');
  });

  it('says in one sentence how to get a trainer where there is none', async () => {
    // A copy of the program in a place from which no trainer is found.
    const alone = join(folder, 'alone');
    await mkdir(join(alone, 'node_modules/@glocal'), { recursive: true });
    await execa('cp', ['-r', dirname(dirname(GLOCAL)), join(alone, 'cli')]);
    for (const name of [
      'commander',
      '@bomb.sh',
      '@grpc',
      'grpc-health-check',
      'cli-table3',
      'cli-progress',
    ]) {
      await symlink(join(root, 'node_modules', name), join(alone, 'node_modules', name));
    }
    for (const name of ['vega', 'vega-lite', '@resvg', '@expo-google-fonts']) {
      await symlink(join(root, 'node_modules', name), join(alone, 'node_modules', name));
    }
    await symlink(join(root, 'sdk'), join(alone, 'node_modules/@glocal/sdk'));
    const { exitCode, stderr } = await execa(process.execPath, [join(alone, 'cli/src/main.ts'), 'serve'], {
      cwd: alone,
      env: environmentOfGlocal(),
      reject: false,
    });
    expect(exitCode).toBe(69);
    expect(stderr).toMatch(/^glocal: no trainer is installed here: npm install @glocal\/trainer, .+$/);
  });
});

describe('glocal init', () => {
  it('keeps what is there', async () => {
    const project = join(folder, 'second');
    await mkdir(project);
    await writeFile(join(project, 'package.json'), '{"name":"mine","scripts":{"serve":"mine"}}');
    await glocal(['init'], { cwd: project });
    const manifest = JSON.parse(await readFile(join(project, 'package.json'), 'utf8'));
    expect(manifest).toMatchObject({ name: 'mine', scripts: { serve: 'mine', tune: 'node tune.mjs' } });
    const again = await glocal(['init'], { cwd: project });
    expect(again.exitCode).toBe(1);
    expect(again.stderr).toContain('study.yaml');
    expect((await glocal(['init', '--force'], { cwd: project })).exitCode).toBe(0);
  });

  it('names the folder where nothing can be written, and quotes the one to go to', async () => {
    await writeFile(join(folder, 'taken'), '');
    const refused = await glocal(['init', 'taken/inside'], { cwd: folder });
    expect(refused.exitCode).toBe(66);
    expect(refused.stderr).toMatch(/^glocal: \[folder\]: E\w+: .+$/);
    const { stdout } = await glocal(['init', 'a project'], { cwd: folder });
    expect(stdout).toContain("cd 'a project'\n");
  });
});
