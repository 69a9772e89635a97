import { chmod, mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DmdProcess, DmdStartError } from './process.ts';

/**
 * Stands for the DMD service where that does not fail at will: it notes its pid and what it was started with, listens on
 * port 4711 when it may choose, and ends as soon as a file tells it to.
 */
const PROGRAM = `
const { appendFileSync, existsSync } = require('node:fs');
const listen = process.argv[process.argv.indexOf('--listen') + 1];
appendFileSync(__dirname + '/starts', process.pid + ' ' + process.argv.slice(2).join(' ') + '\\n');
if (existsSync(__dirname + '/fail')) { console.error('told to fail'); process.exit(1); }
console.log('listening on ' + listen.replace(/:0$/, ':4711'));
process.stdin.resume().on('end', () => process.exit(0));
`;

let folder: Awaited<ReturnType<typeof mkdtempDisposable>>;
let binary: string;
let dmd: DmdProcess | undefined;
const log = pino({ level: 'silent' });

beforeEach(async () => {
  folder = await mkdtempDisposable(join(tmpdir(), 'glocal-dmd-'));
  binary = join(folder.path, 'dmd.cjs');
  await writeFile(binary, `#!${process.execPath}\n${PROGRAM}`);
  await chmod(binary, 0o755);
});
afterEach(async () => {
  await dmd?.stop();
  await folder.remove();
});

/** Pid and arguments of each start. */
async function starts(): Promise<{ pid: number; args: string }[]> {
  const lines = (await readFile(join(folder.path, 'starts'), 'utf8')).trimEnd().split('\n');
  return lines.map((line) => ({ pid: Number(line.split(' ')[0]), args: line.replace(/^\d+ /, '') }));
}

async function killLast(): Promise<void> {
  const last = (await starts()).at(-1);
  process.kill(last?.pid as number, 'SIGKILL');
}

describe('the DMD process', () => {
  it('is started on a free port, to end with its parent', async () => {
    dmd = await DmdProcess.start(binary, log);
    expect(dmd.address).toBe('127.0.0.1:4711');
    expect((await starts()).map(({ args }) => args)).toEqual([
      'serve --listen 127.0.0.1:0 --exit-with-stdin',
    ]);
  });

  it('is started again, at the address that it had, each time that it ends unasked', async () => {
    dmd = await DmdProcess.start(binary, log);
    for (const count of [2, 3]) {
      await killLast();
      await expect.poll(async () => (await starts()).length, { timeout: 20_000 }).toBe(count);
    }
    expect((await starts()).slice(1).map(({ args }) => args)).toEqual(
      Array(2).fill('serve --listen 127.0.0.1:4711 --exit-with-stdin'),
    );
    expect(dmd.address).toBe('127.0.0.1:4711');
  });

  it('is tried again when it does not come back at once', async () => {
    dmd = await DmdProcess.start(binary, log);
    await writeFile(join(folder.path, 'fail'), '');
    await killLast();
    await expect.poll(async () => (await starts()).length, { timeout: 20_000 }).toBeGreaterThan(3);
  });

  it('is gone and stays away when it is stopped', async () => {
    dmd = await DmdProcess.start(binary, log);
    await dmd.stop();
    const [first, ...rest] = await starts();
    expect(() => process.kill(first?.pid as number, 0)).toThrow(/ESRCH/);
    expect(rest).toEqual([]);
  });

  it('is not tried again once it is stopped', async () => {
    dmd = await DmdProcess.start(binary, log);
    await writeFile(join(folder.path, 'fail'), '');
    await killLast();
    await expect.poll(async () => (await starts()).length, { timeout: 20_000 }).toBeGreaterThan(1);
    await dmd.stop();
    const { length } = await starts();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect((await starts()).length).toBeLessThanOrEqual(length + 1);
  });
});

describe('a DMD process that cannot be started', () => {
  it('is an error that says how to build it when there is none', async () => {
    const starting = DmdProcess.start(join(folder.path, 'none'), log);
    await expect(starting).rejects.toThrow(DmdStartError);
    await expect(DmdProcess.start(join(folder.path, 'none'), log)).rejects.toThrow(
      /none: build it with `cargo build --release -p glocal-dmd`/,
    );
  });

  it('is an error with its last words when it ends', async () => {
    await writeFile(join(folder.path, 'fail'), '');
    await expect(DmdProcess.start(binary, log)).rejects.toThrow(
      new DmdStartError('the DMD service did not start: it ended with exit code 1: told to fail'),
    );
  });
});
