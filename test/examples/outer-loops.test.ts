/** The programs in `sdk/examples`, each to its end, with a real trainer. */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';
import { expectDriven, expectManaged, expectRidge, startExample } from './programs.ts';

let trainer: TestTrainer;
beforeAll(async () => {
  trainer = await TestTrainer.start();
});
afterAll(() => trainer[Symbol.asyncDispose]());

describe('the example', { timeout: 180_000 }, () => {
  it('ridge.ts tunes its penalty to the optimum, which is known in closed form', async () => {
    expectRidge((await startExample('ridge', trainer.address)).stdout);
  });

  it('managed.ts watches a study to its end, and has its schedule', async () => {
    expectManaged((await startExample('managed', trainer.address)).stdout);
  });

  it('drive.ts takes the same path with the same command after each kill, and once more when it has ended', async () => {
    await using folder = await temporaryFolder();
    const run = () => startExample('drive', trainer.address, { STATE: join(folder.path, 'state.json') });
    const studies = async () => (await Array.fromAsync(trainer.client.studies.list())).length;
    const before = await studies();
    const { stdout: whole } = await run();
    expectDriven(whole);
    expect(await readdir(folder.path)).toEqual([]);
    const seen: string[] = [];
    for (const decisions of [1, 2, Number.POSITIVE_INFINITY]) {
      const program = run();
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
    expect(await readdir(folder.path)).toEqual([]);
    expect((await studies()) - before).toBe(2);
  });
});
