/** What studies are predicted to cost and trials did, by a real trainer. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { quickStudy, WINDOW } from '../support/studies.ts';
import { TestTrainer } from '../support/trainer.ts';

let trainer: TestTrainer;
beforeAll(async () => {
  trainer = await TestTrainer.start();
});
afterAll(() => trainer[Symbol.asyncDispose]());

it('a wished cost chooses sparse windows, and the trial times the plain steps between them', async () => {
  const { method, ...quick } = quickStudy({ outerSteps: 25 });
  const wished = { ...quick, method: { ...method, overhead: 2 } };
  const { predictedCost, method: chosen } = await trainer.client.studies.validate(wished);
  expect(predictedCost).toBeGreaterThan(1);
  expect(predictedCost).toBeLessThanOrEqual(2);
  expect(chosen).toMatchObject({ overhead: 2, window: WINDOW });
  expect(chosen.interval).toBeGreaterThan(WINDOW);

  const study = await trainer.client.studies.create(wished);
  expect(study).toMatchObject({ predictedCost, method: chosen });
  const { best } = await study.result();
  const { cost = 0, timing, stepsDone } = best ?? {};
  expect(cost).toBeGreaterThan(1);
  const outerSteps = await Array.fromAsync(study.outerSteps());
  const windows = outerSteps.filter(({ window }) => window !== undefined).length;
  const short = Math.min(windows, chosen.warmupWindows);
  const inWindows = short * chosen.warmupWindowSteps + (windows - short) * WINDOW;
  expect(timing?.plainSteps).toBe((stepsDone ?? 0) - inWindows);
  expect(timing?.training).toBeGreaterThan(timing?.plain ?? Number.NaN);
});

it('a trial that learns nothing costs a plain run', async () => {
  const study = await trainer.client.studies.create(quickStudy({ estimator: 'fixed' }));
  expect(study.predictedCost).toBe(1);
  expect((await study.result()).best?.cost).toBeCloseTo(1, 6);
});
