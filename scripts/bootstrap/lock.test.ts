import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { withSetupLock } from './lock.mjs';

let checkout: string;
const lockFile = () => join(checkout, '.glocal', 'setup.lock');

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'glocal-lock-'));
});
afterEach(() => rmSync(checkout, { recursive: true, force: true }));

/** A process that appends "+", waits, and appends "-" to a log, `times` times, each under the lock. */
function contender(times: number) {
  const script = `
    import { appendFileSync } from 'node:fs';
    import { withSetupLock } from ${JSON.stringify(join(import.meta.dirname, 'lock.mjs'))};
    for (let i = 0; i < ${times}; i++)
      await withSetupLock(${JSON.stringify(checkout)}, async () => {
        appendFileSync(${JSON.stringify(join(checkout, 'log'))}, '+');
        await new Promise((resolve) => setTimeout(resolve, 5));
        appendFileSync(${JSON.stringify(join(checkout, 'log'))}, '-');
      });`;
  return spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'ignore' });
}

async function deadProcessId(): Promise<number> {
  const child = spawn(process.execPath, ['--eval', '']);
  await once(child, 'exit');
  return child.pid ?? Number.NaN;
}

test('several processes never hold the lock at the same time', async () => {
  const processes = [contender(5), contender(5), contender(5)];
  const codes = await Promise.all(processes.map(async (child) => (await once(child, 'exit'))[0]));
  expect(codes).toEqual([0, 0, 0]);
  expect(readFileSync(join(checkout, 'log'), 'utf8')).toBe('+-'.repeat(15));
});

test('the lock of a process that is gone is taken over, by one at a time', async () => {
  mkdirSync(join(checkout, '.glocal'));
  writeFileSync(lockFile(), `${await deadProcessId()}\n`);
  const processes = [contender(1), contender(1), contender(1)];
  await Promise.all(processes.map((child) => once(child, 'exit')));
  expect(readFileSync(join(checkout, 'log'), 'utf8')).toBe('+-'.repeat(3));
});

test.runIf(process.platform === 'linux')(
  'a killed process that nobody has collected does not hold the lock',
  async () => {
    // The shell starts a child, which becomes a zombie because `exec` replaces the shell by a program that never waits.
    const parent = spawn('sh', ['-c', 'true & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    onTestFinished(() => void parent.kill());
    const [line] = await once(parent.stdout, 'data');
    mkdirSync(join(checkout, '.glocal'));
    writeFileSync(lockFile(), String(line));
    expect(await withSetupLock(checkout, async () => 'taken over')).toBe('taken over');
  },
);

test('the lock is released when the action fails, and its error passes through', async () => {
  await expect(withSetupLock(checkout, () => Promise.reject(new Error('no disk')))).rejects.toThrow(
    'no disk',
  );
  expect(existsSync(lockFile())).toBe(false);
  expect(await withSetupLock(checkout, async () => 'again')).toBe('again');
});
