/** Results that are larger than a message of gRPC may be (4 MiB) are read like any other. */

import { fixed, float, network, type StudySpec, space } from '@glocal/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestTrainer } from '../support/trainer.ts';

const MESSAGE = 4 * 1024 * 1024;

let trainer: TestTrainer;
beforeAll(async () => {
  trainer = await TestTrainer.start();
});
afterAll(() => trainer[Symbol.asyncDispose]());

/** A network of which hypergradients move each weight, 3 for a hidden unit and one more. */
const studyOf = (hiddenUnits: number, steps: number, method: StudySpec['method']): StudySpec => ({
  space: space({
    lr: float({ min: 1e-3, max: 1, init: 0.02, scale: 'log' }),
    momentum: fixed(0.1),
    reweighting: network({ hiddenUnits }),
  }),
  problem: {
    dataset: 'fashion-mnist-10k',
    model: 'mlp',
    optimizer: 'sgd',
    batchSize: 8,
    validationExamples: 50,
  },
  training: { steps },
  // One step back is cheap, and as large as any other.
  method: { differentiation: 'reverse', reverseSteps: 1, ...method },
});

it('an outer step with a window above the message limit', async () => {
  const ROWS = 180;
  const study = await trainer.client.studies.create(
    studyOf(1_024, ROWS, { estimator: 'mean', window: ROWS, sigma: ROWS }),
  );
  expect(await study.result()).toMatchObject({ state: 'COMPLETED' });
  const { window, update } = await study.outerStep(1);
  const rows = window?.hypergradients ?? [];
  expect(rows).toHaveLength(ROWS);
  expect(ROWS * (rows[0]?.byteLength ?? 0)).toBeGreaterThan(MESSAGE);
  // What moved the hyperparameters is the mean of these very rows.
  const mean = (component: number) =>
    rows.reduce((sum, row) => sum + (row[component] ?? Number.NaN), 0) / ROWS;
  for (const component of [0, 1, 2_000, 3_073]) {
    expect(update?.hypergradient[component]).toBeCloseTo(mean(component), 12);
  }
  const [listed] = await Array.fromAsync(study.outerSteps({ includeWindows: true }));
  expect(listed?.window?.hypergradients).toEqual(rows);
}, 300_000);

it('a schedule above the message limit', async () => {
  const STEPS = 180;
  const study = await trainer.client.studies.create(studyOf(1_024, STEPS, { estimator: 'local', window: 1 }));
  const { state, best } = await study.result();
  expect(state).toBe('COMPLETED');
  const { columns, points } = best?.schedule ?? { columns: [], points: [] };
  expect(columns.length * 8 * points.length).toBeGreaterThan(MESSAGE);
  expect(points.map(({ step }) => step)).toEqual(Array.from({ length: STEPS + 1 }, (_, i) => i));
}, 300_000);
