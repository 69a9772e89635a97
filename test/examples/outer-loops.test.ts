/** The programs in `sdk/examples`, each to its end, with a real trainer. */

import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';

let trainer: TestTrainer;
beforeAll(async () => {
  trainer = await TestTrainer.start();
});
afterAll(() => trainer[Symbol.asyncDispose]());

/** Starts an example, which finds the trainer. */
const start = (name: string, env: NodeJS.ProcessEnv = {}) =>
  execa(process.execPath, [fileURLToPath(new URL(`../../sdk/examples/${name}.ts`, import.meta.url))], {
    env: { GLOCAL_ADDRESS: trainer.address, ...env },
    lines: true,
    reject: false,
  });

describe('the example', { timeout: 180_000 }, () => {
  it('ridge.ts tunes its penalty to the optimum, which is known in closed form', async () => {
    const { stdout } = await start('ridge');
    const [, lambda = 0, best = 0] =
      stdout
        .at(-1)
        ?.match(/^lambda (\S+), in closed form (\S+)$/)
        ?.map(Number) ?? [];
    expect(best).toBeCloseTo(0.5431, 4);
    expect(Math.abs(lambda / best - 1)).toBeLessThan(0.02);
  });

  it('managed.ts watches a study to its end, and has its schedule', async () => {
    const { stdout } = await start('managed');
    expect(stdout[0]).toMatch(/^step 10: loss \d\.\d{4}, lr 0\.01000 → 0\.\d{5}, [A-Z_]+$/);
    const end = stdout.findIndex((line) => /^COMPLETED, validation loss \d\.\d{4}$/.test(line));
    expect(end).toBe(6);
    expect(stdout[end + 1]).toBe('step,lr,momentum,weightDecay');
    expect(stdout.slice(end + 2).filter((line) => line !== '')).toHaveLength(7);
  });

  it('drive.ts decides about each window, and takes the same path when it is killed on its way', async () => {
    await using folder = await temporaryFolder();
    const run = (name: string) =>
      start('drive', { RUN: `drive-${name}`, STATE: `${folder.path}/${name}.json` });
    const { stdout: whole } = await run('whole');
    expect(whole.slice(0, 6).every((line) => /^step \d+: loss \d\.\d{4}, lr → 0\./.test(line))).toBe(true);
    expect(whole.at(-1)).toMatch(/^SUCCEEDED, validation loss \d\.\d{4}$/);
    const seen: string[] = [];
    for (const decisions of [1, 2, Number.POSITIVE_INFINITY]) {
      const program = run('killed');
      let left = decisions;
      for await (const line of program) {
        seen.push(line);
        left -= 1;
        if (left === 0) program.kill('SIGKILL');
      }
    }
    // A line may be lost with the program that was to print it; none is another one.
    expect(whole).toEqual(expect.arrayContaining(seen));
    expect(seen.at(-1)).toBe(whole.at(-1));
  });
});
