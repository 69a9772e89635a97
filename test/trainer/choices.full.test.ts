/** Trials that differ in every field of their problems that they may differ in. */

import { bool, categorical, discrete, float, int, space } from '@glocal/sdk';
import { expect, it } from 'vitest';
import { TestTrainer } from '../support/trainer.ts';

it('every field of the problem that trials may differ in is trained with', { timeout: 300_000 }, async () => {
  await using trainer = await TestTrainer.start();
  const study = await trainer.client.studies.create({
    space: space({
      dataset: categorical(['fashion-mnist-10k']),
      model: categorical(['mlp', 'logistic']),
      validationExamples: int({ min: 20, max: 30, step: 10 }),
      standardize: bool(),
      imbalanceFactor: discrete([1, 10]),
      'augmentation.cropPadding': int({ min: 0, max: 2 }),
      'augmentation.horizontalFlip': bool(),
      momentum: discrete([0, 0.5]),
      lr: float({ min: 1e-3, max: 0.5, scale: 'log', init: 0.01 }),
    }),
    problem: { optimizer: 'sgd', batchSize: 8 },
    training: { steps: 2 },
    method: { estimator: 'local', window: 2 },
    sampling: { method: 'sobol', points: 3, seed: 5 },
  });
  const { state, trials } = await study.result();
  expect(state).toBe('COMPLETED');
  expect(trials).toHaveLength(3);
  for (const { choices, validation } of trials) {
    expect(Object.keys(choices)).toHaveLength(8);
    expect(validation?.examples).toBe(choices.validationExamples);
  }
});
