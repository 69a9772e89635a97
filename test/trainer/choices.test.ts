/** Trials that differ in more than their seeds: each trains what it has chosen, and no more of them than were asked for at a time. */

import { categorical, discrete, float, int, space, type Trial } from '@glocal/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestTrainer } from '../support/trainer.ts';

let trainer: TestTrainer;
beforeAll(async () => {
  trainer = await TestTrainer.start({ args: ['--max-running-trials', '4'] });
});
afterAll(() => trainer[Symbol.asyncDispose]());

const moving = { min: 1e-3, max: 0.5, scale: 'log' } as const;

describe('a grid of optimizers, batch sizes and initial learning rates', () => {
  const grid = space({
    optimizer: categorical(['sgd', 'rmsprop']),
    batchSize: discrete([8, 16]),
    lr: float({ ...moving, init: [0.01, 0.02] }),
  });
  let trials: Trial<typeof grid.parameters>[];
  let most = 0;

  beforeAll(async () => {
    const study = await trainer.client.studies.create({
      space: grid,
      problem: { dataset: 'fashion-mnist-10k', model: 'mlp', validationExamples: 20 },
      training: { steps: 4 },
      method: { estimator: 'mean', window: 2, sigma: 2 },
      sampling: { maxRunningTrials: 2 },
    });
    const running = new Set<string>();
    for await (const event of study.watch()) {
      if (event.type !== 'trial') continue;
      if (event.state === 'RUNNING') running.add(event.name);
      else running.delete(event.name);
      most = Math.max(most, running.size);
    }
    trials = await Array.fromAsync(study.trials());
  });

  it('has a trial for each combination, in the order of the space', () => {
    expect(trials.map(({ choices }) => choices)).toEqual([
      { optimizer: 'sgd', batchSize: 8, lr: 0.01 },
      { optimizer: 'sgd', batchSize: 8, lr: 0.02 },
      { optimizer: 'sgd', batchSize: 16, lr: 0.01 },
      { optimizer: 'sgd', batchSize: 16, lr: 0.02 },
      { optimizer: 'rmsprop', batchSize: 8, lr: 0.01 },
      { optimizer: 'rmsprop', batchSize: 8, lr: 0.02 },
      { optimizer: 'rmsprop', batchSize: 16, lr: 0.01 },
      { optimizer: 'rmsprop', batchSize: 16, lr: 0.02 },
    ]);
  });

  it('succeeds in all of them, and no two come to the same', () => {
    expect(trials.map(({ state, stateReason }) => [state, stateReason])).toEqual(
      trials.map(() => ['SUCCEEDED', expect.anything()]),
    );
    expect(new Set(trials.map(({ validation }) => validation?.loss)).size).toBe(trials.length);
  });

  it('moves each from where it started', async () => {
    const [study] = await Array.fromAsync(trainer.client.studies.list());
    for (const [position, { choices, values }] of trials.entries()) {
      const { points } = (await study?.schedule({ trial: position })) ?? { points: [] };
      expect(points[0]?.values.lr).toBe(choices.lr);
      expect(values.lr).not.toBe(choices.lr);
    }
  });

  it('runs as many of them at a time as the study allows', () => {
    expect(most).toBe(2);
  });
});

it('a study of a thousand trials is made at once, and listed in their order', async () => {
  const study = await trainer.client.studies.create({
    space: space({
      lr: float({ ...moving, init: Array.from({ length: 50 }, (_, i) => (i + 1) / 1_000) }),
      batchSize: int({ min: 1, max: 20 }),
    }),
    problem: { dataset: 'fashion-mnist-10k', model: 'mlp', optimizer: 'sgd' },
    training: { steps: 50_000 },
    method: { estimator: 'local' },
  });
  const listed = await Array.fromAsync(study.trials());
  expect(listed.map(({ choices }) => choices)).toEqual(
    Array.from({ length: 1_000 }, (_, i) => ({
      lr: (Math.floor(i / 20) + 1) / 1_000,
      batchSize: (i % 20) + 1,
    })),
  );
  expect((await study.cancel()).state).toBe('CANCELLED');
});
