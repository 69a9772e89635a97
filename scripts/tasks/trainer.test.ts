import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { needsServices } from './trainer.ts';

it.each([[[]], [['--listen', '127.0.0.1:0']], [['check']], [['check', '--dmd-address', '127.0.0.1:1']]])(
  'a server, and whether one would come up, need the services: %j',
  (args) => {
    expect(needsServices(args)).toBe(true);
  },
);

it.each([
  [['token', '--owner', 'ada']],
  [['data', 'mnist']],
  [['check', '--address', '127.0.0.1:1']],
  [['check', '--address=127.0.0.1:1']],
  [['--help']],
  [['check', '-h']],
  [['--version']],
])('what has to do with no service of ours needs none: %j', (args) => {
  expect(needsServices(args)).toBe(false);
});

it('npm run trainer -- token asks cargo for nothing', { timeout: 180_000 }, () => {
  const tasks = fileURLToPath(new URL('../tasks.ts', import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), 'glocal-no-cargo-'));
  try {
    writeFileSync(join(folder, 'cargo'), '#!/bin/sh\necho "cargo was asked" >&2\nexit 1\n', { mode: 0o755 });
    const made = execFileSync(process.execPath, [tasks, 'trainer', 'token', '--owner', 'ada'], {
      env: { ...process.env, PATH: `${folder}:${process.env.PATH}` },
      encoding: 'utf8',
    });
    expect(made).not.toBe('');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
