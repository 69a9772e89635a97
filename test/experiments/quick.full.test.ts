/** The quick forms that need no data of the user's, from the command to their tables and figures. */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/trainer.ts';

const MAIN = join(import.meta.dirname, '../../experiments/src/main.ts');

it.each(['spectrum', 'runtime', 'held-phi', 'estimators'])(
  '%s ends with exit code 0, tables and figures',
  { timeout: 1_200_000 },
  async (name) => {
    await using folder = await temporaryFolder();
    const out = join(folder.path, name);
    const { exitCode, stdout, stderr } = await execa(
      process.execPath,
      [MAIN, name, '--quick', '--out', out],
      {
        reject: false,
      },
    );
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toContain('| --- |');
    expect(await readFile(join(out, 'tables.md'), 'utf8')).toContain('| --- |');
    const figures = await readdir(join(out, 'figures'));
    expect(figures).toContainEqual(expect.stringMatching(/\.svg$/));
    expect(figures).toContainEqual(expect.stringMatching(/\.png$/));
    const { arms } = JSON.parse(await readFile(join(out, 'results.json'), 'utf8'));
    expect(arms.length).toBeGreaterThan(0);
  },
);
