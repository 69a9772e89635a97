import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { SetupError } from './errors.mjs';
import { run, runQuietly } from './run-process.mjs';

const node = process.execPath;

test('a captured command gives its exit code and both streams', async () => {
  const result = await run(
    node,
    ['--eval', 'console.log("out"); console.error("err"); process.exitCode = 7'],
    {
      capture: true,
    },
  );
  expect(result.code).toBe(7);
  expect(result.output).toContain('out\n');
  expect(result.output).toContain('err\n');
});

test('a command that a signal ended gives 128 + its number', async () => {
  expect((await run(node, ['--eval', 'process.kill(process.pid, "SIGKILL")'], { capture: true })).code).toBe(
    137,
  );
});

test('a missing tool is named, with where to get it', async () => {
  vi.stubEnv('PATH', '/nonexistent');
  onTestFinished(() => void vi.unstubAllEnvs());
  await expect(run('cargo', ['build'])).rejects.toThrow(
    'cargo is missing: install Rust from https://rustup.rs',
  );
});

test('a failing quiet command throws the message given and keeps the output', async () => {
  const failing = runQuietly('It did not work.', node, ['--eval', 'console.error("why"); process.exit(1)']);
  await expect(failing).rejects.toThrow(SetupError);
  await expect(failing).rejects.toMatchObject({ message: 'It did not work.', output: 'why\n' });
});

test.each(['SIGINT', 'SIGTERM'] as const)('%s reaches the child, and both processes end', async (signal) => {
  const folder = mkdtempSync(join(tmpdir(), 'glocal-run-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const log = join(folder, 'log');
  const child = `
    const { appendFileSync } = require('node:fs');
    process.on('${signal}', () => { appendFileSync(${JSON.stringify(log)}, 'stopped'); process.exit(0); });
    setInterval(() => {}, 1000);
    console.log('ready');`;
  const parent = spawn(
    node,
    [
      '--input-type=module',
      '--eval',
      `import { run } from ${JSON.stringify(join(import.meta.dirname, 'run-process.mjs'))};
       await run(process.execPath, ['--eval', ${JSON.stringify(child)}]);`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(parent.stdout, 'data');
  parent.kill(signal);
  const [code] = await once(parent, 'exit');
  expect(code).toBe(signal === 'SIGINT' ? 130 : 143);
  expect(readFileSync(log, 'utf8')).toBe('stopped');
});
