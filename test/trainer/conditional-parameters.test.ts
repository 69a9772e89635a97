/** Parameters that exist with one optimizer only, from the SDK through the server to the training process and back. */

import { categorical, float, type GlocalError, space, specFromYaml } from '@glocal/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestTrainer } from '../support/trainer.ts';

let trainer: TestTrainer;
beforeAll(async () => {
  trainer = await TestTrainer.start({ args: ['--max-running-trials', '2'] });
});
afterAll(() => trainer[Symbol.asyncDispose]());

const rate = { min: 1e-4, max: 0.5, scale: 'log' } as const;
const searched = space({
  optimizer: categorical({
    sgd: {
      lr: float({ ...rate, init: [0.01, 0.02] }),
      momentum: float({ min: 0, max: 1, init: 0.5, scale: 'logit' }),
    },
    adam: { lr: float({ ...rate, init: 0.001 }) },
  }),
  weightDecay: float({ min: 0, max: 0.1, init: 1e-3, scale: 'logit' }),
});
const spec = {
  space: searched,
  problem: { dataset: 'fashion-mnist-10k', model: 'mlp', batchSize: 8, validationExamples: 20 },
  training: { steps: 4 },
  method: { estimator: 'mean', window: 2, sigma: 2 },
} as const;

describe('a study whose optimizers have hyperparameters of their own', () => {
  it('trains each trial with what its optimizer has, and tells of nothing else', {
    timeout: 120_000,
  }, async () => {
    const study = await trainer.client.studies.create(spec);
    expect(study.space).toEqual(searched);
    const moved = new Map<string, string[]>();
    for await (const event of study.watch()) {
      if (event.type !== 'outerStep') continue;
      const { values, window } = event;
      moved.set(event.trial, [values.optimizer, ...(window?.components ?? [])]);
      if (values.optimizer === 'sgd') expect(values.momentum).toBeGreaterThan(0);
      else expect(Object.keys(values)).not.toContain('momentum');
    }
    expect([...moved.values()].sort()).toEqual([
      ['adam', 'lr', 'weightDecay'],
      ['sgd', 'lr', 'momentum', 'weightDecay'],
      ['sgd', 'lr', 'momentum', 'weightDecay'],
    ]);

    const trials = await Array.fromAsync(study.trials());
    expect(trials.map(({ state, choices }) => [state, choices])).toEqual([
      ['SUCCEEDED', { optimizer: 'sgd', lr: 0.01 }],
      ['SUCCEEDED', { optimizer: 'sgd', lr: 0.02 }],
      ['SUCCEEDED', { optimizer: 'adam' }],
    ]);
    const [step] = await Array.fromAsync(study.outerSteps({ trial: 2 }));
    expect(step?.values).toMatchObject({ optimizer: 'adam', lr: 0.001, weightDecay: 1e-3 });
    expect((await study.outerStep(1, { trial: 1 })).values).toMatchObject({ optimizer: 'sgd', lr: 0.02 });
    const { columns, points } = await study.schedule({ trial: 2 });
    expect(columns).not.toContain('momentum');
    expect(points[0]?.values).toMatchObject({ optimizer: 'adam', lr: 0.001 });
  });

  it('is named by optimizer where something is wrong, also from a file', async () => {
    const text = `
problem: { dataset: fashion-mnist-10k, model: mlp }
space:
  optimizer:
    values:
      sgd: { lr: { min: 0.1, max: 200, init: 1 } }
      adam: { lr: { min: 1e-4, max: 1, init: 0.01 }, momentum: { min: 0, max: 1, init: 0.5 } }
training: { steps: 100 }
method: { estimator: glocal }
`;
    const refused = await trainer.client.studies.validate(specFromYaml(text)).catch((error) => error);
    expect((refused as GlocalError).fieldViolations).toEqual([
      {
        field: 'space.optimizer.sgd.lr.max',
        description: expect.stringMatching(/^200 is outside the domain of lr/),
      },
      {
        field: 'space.optimizer.adam.momentum',
        description: expect.stringMatching(/^is a hyperparameter neither of adam /),
      },
    ]);
  });
});
