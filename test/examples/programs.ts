/** The programs in `sdk/examples`, and that on the first screen of the SDK's README: started as they are, and what they must print. */

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect } from 'vitest';

/** Starts an example. @param address of a trainer, or several with commas. */
export const startExample = (name: string, address: string, env: NodeJS.ProcessEnv = {}) =>
  execa(process.execPath, [fileURLToPath(new URL(`../../sdk/examples/${name}.ts`, import.meta.url))], {
    env: { GLOCAL_ADDRESS: address, ...env },
    lines: true,
    reject: false,
  });

/** Of `ridge.ts`: the penalty is tuned to the optimum, which is known in closed form. */
export function expectRidge(printed: readonly string[]): void {
  const [, lambda = 0, best = 0] =
    printed
      .at(-1)
      ?.match(/^lambda (\S+), in closed form (\S+)$/)
      ?.map(Number) ?? [];
  expect(best, printed.join('\n')).toBeCloseTo(0.5431, 4);
  expect(Math.abs(lambda / best - 1)).toBeLessThan(0.02);
}

/** Of `managed.ts`: six outer steps, how it ended, and its schedule. */
export function expectManaged(printed: readonly string[]): void {
  expect(printed[0]).toMatch(/^step 10: loss \d\.\d{4}, lr 0\.01000 → 0\.\d{5}, [A-Z_]+$/);
  const end = printed.findIndex((line) => /^COMPLETED, validation loss \d\.\d{4}$/.test(line));
  expect(end).toBe(6);
  expect(printed[end + 1]).toBe('step,lr,momentum,weightDecay');
  expect(printed.slice(end + 2).filter((line) => line !== '')).toHaveLength(7);
}

/** Of `drive.ts`: six windows, and how the trial ended. */
export function expectDriven(printed: readonly string[]): void {
  expect(printed).toHaveLength(7);
  for (const line of printed.slice(0, 6)) expect(line).toMatch(/^step \d+: loss \d\.\d{4}, lr → 0\./);
  expect(printed.at(-1)).toMatch(/^SUCCEEDED, validation loss \d\.\d{4}$/);
}

/** Runs the README's program to its end: four outer steps, how it ended, and its schedule. */
export async function expectReadmeProgram(address: string): Promise<void> {
  const readme = await readFile(new URL('../../sdk/README.md', import.meta.url), 'utf8');
  const [, program] = readme.match(/```js\n([\s\S]*?)```/) ?? [];
  if (program === undefined) throw new Error('the README has no program');
  const { stdout } = await execa(process.execPath, ['--input-type=module', '--eval', program], {
    // Where `@glocal/sdk` is found.
    cwd: import.meta.dirname,
    env: { GLOCAL_ADDRESS: address },
  });
  const lines = stdout.trim().split('\n');
  expect(lines.slice(0, 4)).toEqual(
    [50, 100, 150, 200].map((step) =>
      expect.stringMatching(new RegExp(`^step ${step}: lr 0\\.\\d{4}, loss \\d\\.\\d{3}, [A-Z_]+$`)),
    ),
  );
  expect(lines[4]).toMatch(/^COMPLETED, test accuracy 0\.\d+$/);
  expect(lines[5]).toBe('step,lr,momentum,weightDecay');
  const schedule = lines.slice(6).map((line) => line.split(',').map(Number));
  expect(schedule.map(([step]) => step)).toEqual([0, 50, 100, 150, 200]);
  expect(new Set(schedule.map(([, lr]) => lr)).size).toBeGreaterThan(1);
  expect(new Set(schedule.map(([, , , weightDecay]) => weightDecay))).toEqual(new Set([5e-4]));
}
