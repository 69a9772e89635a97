import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';

/** A package whose script does what `run.mjs` does: it watches npm, and runs a program that lasts. */
function packageWithScript(): { folder: string; pidFile: string } {
  const folder = mkdtempSync(join(tmpdir(), 'glocal-npm-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const pidFile = join(folder, 'pid');
  const module = (name: string) => JSON.stringify(join(import.meta.dirname, name));
  const child = `require('node:fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); setInterval(() => {}, 1000);`;
  writeFileSync(
    join(folder, 'script.mjs'),
    `import { endWithNpm } from ${module('end-with-npm.mjs')};
     import { run } from ${module('run-process.mjs')};
     endWithNpm();
     await run(process.execPath, ['--eval', ${JSON.stringify(child)}]);`,
  );
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ scripts: { last: 'node script.mjs' } }));
  return { folder, pidFile };
}

const isRunning = (pid: number): boolean => existsSync(`/proc/${pid}`);

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'a program that npm runs ends when npm gets %s',
  async (signal) => {
    const { folder, pidFile } = packageWithScript();
    const npm = spawn('npm', ['run', 'last'], { cwd: folder, stdio: 'ignore' });
    await vi.waitFor(() => expect(readFileSync(pidFile, 'utf8')).not.toBe(''), { timeout: 20_000 });
    const program = Number(readFileSync(pidFile, 'utf8'));
    onTestFinished(() => {
      if (isRunning(program)) process.kill(program, 'SIGKILL');
    });
    expect(isRunning(program)).toBe(true);

    npm.kill(signal);
    await once(npm, 'exit');
    await vi.waitFor(() => expect(isRunning(program)).toBe(false), { timeout: 10_000 });
  },
);
