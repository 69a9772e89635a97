/** The row at the rate of a range test, through a real trainer. */

import type { GlocalClient } from '@glocal/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Task } from '../../experiments/src/arms.ts';
import { controls } from '../../experiments/src/controls.ts';
import type { Experiment } from '../../experiments/src/experiment.ts';
import { conduct } from '../../experiments/src/laboratory.ts';
import { NoRowError } from '../../experiments/src/run.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';

let client: GlocalClient;
let out: string;
const cleanUp = new AsyncDisposableStack();
beforeAll(async () => {
  out = cleanUp.use(await temporaryFolder()).path;
  ({ client } = cleanUp.use(await TestTrainer.start()));
});
afterAll(() => cleanUp.disposeAsync());

const task: Task = {
  table: 'small',
  problem: { dataset: 'fashion-mnist-10k', model: 'logistic', validationExamples: 500 },
  steps: 100,
};
const small: Experiment = {
  description: 'one constant rate, and the rate of a range test',
  seeds: { full: 2 },
  datasets: { full: [] },
  arms: () =>
    controls(task, {
      ...{ constant: [0.1], cooldown: [], peaks: [], scheduleFree: [], prodigy: false },
      rangeTest: true,
    }),
};
const conducted = (only: string) => {
  const options = { name: 'small', experiment: small, size: 'full', seeds: 2, parallel: 2 } as const;
  return conduct(client, { ...options, only, out }, false, new AbortController().signal);
};
const AT_ITS_RATE = 'SGD at the rate of a range test (+2.0 runs)';

it('trains at the rate that the test picked, from every seed, after all other rows', async () => {
  const { arms } = await conducted('');
  expect(arms.map(({ arm: { title }, trials }) => [title, trials.length])).toEqual([
    ['SGD, constant', 2],
    ['SGD, constant, averaged weights', 2],
    ['range test', 1],
    [AT_ITS_RATE, 2],
    [`${AT_ITS_RATE}, averaged weights`, 2],
  ]);
  const [, , , last, averaged] = arms;
  expect(averaged?.study).toBe(last?.study);
  for (const { start, accuracy } of last?.trials ?? []) {
    expect(start).toBeGreaterThan(1e-4);
    expect(accuracy).toBeGreaterThan(0.5);
  }
});

it('is a row that can be asked for by its name', async () => {
  const { arms } = await conducted('range test');
  expect(arms.map(({ arm: { title } }) => title)).toEqual([
    'range test',
    AT_ITS_RATE,
    `${AT_ITS_RATE}, averaged weights`,
  ]);
  await expect(conducted('cosine')).rejects.toThrow(NoRowError);
  await expect(conducted('cosine')).rejects.toThrow('\n  small: SGD at the rate of a range test');
});
