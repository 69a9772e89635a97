/** The row at the rate of a range test, through a real trainer. */

import { fixed, type GlocalClient } from '@glocal/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Besides, Task } from '../../experiments/src/arms.ts';
import { type ControlGrids, controls } from '../../experiments/src/controls.ts';
import { type Experiment, isArm, type Lab } from '../../experiments/src/experiment.ts';
import { conduct } from '../../experiments/src/laboratory.ts';
import type { Finished } from '../../experiments/src/outcome.ts';
import { pickRate } from '../../experiments/src/range-test.ts';
import { NoRowError, startArms } from '../../experiments/src/run.ts';
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
const GRIDS: ControlGrids = {
  ...{ constant: [], cooldown: [], peaks: [], scheduleFree: [], prodigy: false },
  rangeTest: true,
};
const SMOOTHED: Besides = { title: ', smoothed', parameters: { labelSmoothing: fixed(0.1) } };
const small: Experiment = {
  description: 'one constant rate, and the rate of a range test',
  seeds: { full: 2 },
  datasets: { full: [] },
  arms: () => [
    ...controls(task, GRIDS, SMOOTHED),
    ...controls(task, { ...GRIDS, rangeTest: false, constant: [0.1] }),
  ],
};
const conducted = (only: string, owned = false) => {
  const options = { name: 'small', experiment: small, size: 'full', seeds: 2, parallel: 2 } as const;
  return conduct(client, { ...options, only, out }, owned, new AbortController().signal);
};
const AT_ITS_RATE = 'SGD at the rate of a range test (+2.0 runs)';
const LATER = [
  'range test, smoothed',
  `${AT_ITS_RATE}, smoothed`,
  `${AT_ITS_RATE}, averaged weights, smoothed`,
];

it('trains at the rate that the test picked, with every seed, after all other rows', async () => {
  const { arms } = await conducted('');
  expect(arms.map(({ arm: { title }, trials }) => [title, trials.length])).toEqual([
    ['SGD, constant', 2],
    ['SGD, constant, averaged weights', 2],
    ...LATER.map((title, i) => [title, i === 0 ? 1 : 2]),
  ]);
  const [, , test, last, averaged] = arms;
  expect(averaged?.study).toBe(last?.study);
  const picked = await rateOf(test);
  for (const { start, accuracy } of last?.trials ?? []) {
    expect(start).toBe(picked);
    expect(accuracy).toBeGreaterThan(0.5);
  }
  for (const finished of [test, last]) {
    const { space } = await client.studies.get(finished?.study ?? '');
    expect(space.parameters).toMatchObject({ labelSmoothing: { value: 0.1 } });
  }
});

/** What the losses of a test say, of which each is that of five steps, while the rate rises from 1e-5 to 10 in 200. */
async function rateOf(test: Finished | undefined): Promise<number | undefined> {
  const study = await client.studies.get(test?.study ?? '');
  const outerSteps = await Array.fromAsync(study.outerSteps({ trial: test?.trials[0]?.trial ?? '' }));
  expect(outerSteps.length).toBeGreaterThan(20);
  return pickRate(
    outerSteps.map(({ step, trainLoss }) => ({ rate: 1e-5 * 1e6 ** ((step - 2.5) / 200), loss: trainLoss })),
  );
}

it('is a row that can be asked for by its name', async () => {
  const { arms } = await conducted('range test');
  expect(arms.map(({ arm: { title } }) => title)).toEqual(LATER);
  await expect(conducted('cosine')).rejects.toThrow(NoRowError);
  await expect(conducted('cosine')).rejects.toThrow(`\n  small: ${AT_ITS_RATE}, smoothed\n`);
});

it('is found again by another command, which cancels what it does not want', async () => {
  const endless = { ...task, table: 'endless', steps: 1_000_000 };
  const rows = controls(endless, { ...GRIDS, rangeTest: false, constant: [0.1] }).filter(isArm);
  const [left] = await startArms(client, rows, 1, new AbortController().signal);
  const { arms } = await conducted('range test', true);
  expect(arms.map(({ arm: { title } }) => title)).toEqual(LATER);
  expect(await client.studies.get(left?.study.name ?? '')).toMatchObject({ state: 'CANCELLED' });
});

it('is left out where the test picked no rate, and that is told', async () => {
  const [row] = controls(task, GRIDS, SMOOTHED);
  if (row === undefined || isArm(row)) throw new Error('no row that comes later');
  const notes: string[] = [];
  // As of a test that failed.
  const lab = { run: async () => [], note: (text: string) => notes.push(text) };
  expect(await row.arms(lab as unknown as Lab)).toEqual([]);
  expect(notes).toEqual([`small: ${AT_ITS_RATE}, smoothed: is left out, since the test picked none`]);
});
