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

it('a training loop of PyTorch gets further with the values that Glocal moves', {
  timeout,
}, async (context) => {
  const bin = await python(context, 'requirements-torch.txt');
  const lines = await runReadme('python', 'LeNet in PyTorch', { address: trainer.address, bin });
  const windows = lines.map((line) => {
    const [window, lr, momentum, weightDecay, loss, accuracy] = (line.match(/[\d.]+/g) ?? []).map(Number);
    return { window, lr, momentum, weightDecay, loss, accuracy };
  });
  const [first, ...others] = windows;
  const held = others.splice(others.findLastIndex(({ window }) => window === 1));
  expect(first).toMatchObject({ window: 1, lr: 0.005, momentum: 0.3, weightDecay: 0.001 });
  const [tuned, plain] = [others.at(-1), held.at(-1)];
  expect(tuned?.lr).toBeGreaterThan(0.01);
  expect(tuned?.loss).toBeLessThan(0.9 * (plain?.loss ?? 0));
  expect(tuned?.accuracy).toBeGreaterThan(plain?.accuracy ?? 1);
  expect(plain).toMatchObject({ lr: 0.005, momentum: 0.3 });
  const [study] = await Array.fromAsync(trainer.client.studies.list({ pageSize: 1 }));
  expect(study).toMatchObject({ displayName: 'LeNet, PyTorch', state: 'COMPLETED' });
});
