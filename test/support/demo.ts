/** The demo, as a newcomer runs it. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { withoutSettings } from './environment.ts';

const MAIN = fileURLToPath(new URL('../../demo/src/main.ts', import.meta.url));

/** Wide enough that nothing is wrapped. */
export const demo = (...args: string[]) =>
  execa(process.execPath, [MAIN, ...args], {
    env: { ...withoutSettings(), NO_COLOR: '1', COLUMNS: '200' },
    reject: false,
  });

/** Rows of the table that it ends with, as cells, without the time that each run took and what it cost. */
export const tableOf = (stdout: string): string[][] =>
  stdout
    .split('\n\n')[0]
    ?.split('\n')
    .map((row) =>
      row
        .trim()
        .split(/ {2,}/)
        .filter((cell) => !/^(\d+:\d\d|\d+\.\d\d)$/.test(cell)),
    ) ?? [];

/** What it says of each outer step, without names and times. */
export async function outerStepsIn(folder: string): Promise<object[]> {
  const text = await readFile(join(folder, 'outer-steps.jsonl'), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
    .map((step) => ({ ...step, ...(step.report && { report: { ...step.report, computeTime: 0 } }) }))
    .map((step) => ({ ...step, name: '', trial: '', timing: {} }));
}
