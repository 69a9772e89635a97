/** Training loops in other languages, over code that is generated from the .proto files alone, with a real trainer. */

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { hasGo, whereGoIs } from '../support/go.ts';
import { pythonWith } from '../support/python.ts';
import { TestTrainer } from '../support/trainer.ts';
import { EXAMPLES, runReadme } from './readme.ts';

/** Installing packages and building takes most of it. */
const timeout = 30 * 60_000;

let trainer: TestTrainer;
beforeAll(async () => {
  trainer = await TestTrainer.start();
});
afterAll(() => trainer[Symbol.asyncDispose]());

/** @returns the folder of the programs of an environment; skips the test where there can be none. */
async function python({ skip }: TestContext, requirements: string): Promise<string> {
  const found = await pythonWith(join(EXAMPLES, 'python', requirements));
  if ('missing' in found) {
    console.warn(found.missing);
    return skip(found.missing);
  }
  return found.bin;
}

/** What a ridge regression says last. */
function expectBestPenalty(lines: readonly string[]): void {
  const [, state, penalty, best] = lines.at(-1)?.match(/^(\w+): lambda ([\d.]+), best ([\d.]+)$/) ?? [];
  expect(state).toMatch(/SUCCEEDED$/);
  expect(Number(best)).toBeCloseTo(0.5431, 4);
  expect(Math.abs(Number(penalty) / Number(best) - 1)).toBeLessThan(0.02);
}

describe('ridge regression is tuned to its best penalty', () => {
  it('in Python', { timeout }, async (context) => {
    const bin = await python(context, 'requirements.txt');
    expectBestPenalty(await runReadme('python', 'Ridge regression', { address: trainer.address, bin }));
  });

  it.skipIf(!hasGo)(`in Go${whereGoIs}`, { timeout }, async () => {
    expectBestPenalty(await runReadme('go', 'Ridge regression in Go', { address: trainer.address }));
  });
});
