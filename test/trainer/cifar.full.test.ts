/** A wide residual network on real CIFAR-10 images, where GLOCAL_DATA_DIR has them: some minutes of training. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { float, space } from '@glocal/sdk';
import { expect, it } from 'vitest';
import { TestTrainer } from '../support/trainer.ts';

const folder = process.env.GLOCAL_DATA_DIR ?? '';
const hasCifar = ['cifar10', 'cifar-10-batches-bin'].some((name) =>
  existsSync(join(folder, name, 'data_batch_1.bin')),
);

it.skipIf(!hasCifar)(
  'WideResNet 16-2 takes 50 steps with hypergradients, and its loss falls',
  { timeout: 1_200_000 },
  async () => {
    await using trainer = await TestTrainer.start({ env: { GLOCAL_DATA_DIR: folder } });
    const study = await trainer.client.studies.create({
      space: space({
        lr: float({ min: 1e-3, max: 1, init: 0.05, scale: 'log' }),
        weightDecay: float({ min: 1e-6, max: 0.1, init: 5e-4, scale: 'log' }),
      }),
      problem: {
        dataset: 'cifar10',
        model: 'wide-resnet-16-2',
        optimizer: 'sgd',
        validationExamples: 500,
        augmentation: { cropPadding: 4, horizontalFlip: true },
      },
      training: { steps: 50, seeds: [0] },
      method: { estimator: 'glocal', window: 10, sigma: 4, stride: 3, dmd: { delays: 2 } },
    });
    const losses: number[] = [];
    for await (const event of study.watch())
      if (event.type === 'outerStep') losses.push(event.validation.loss);
    expect(study.stateReason).toBe('1 of 1 trials succeeded');
    expect(losses).toHaveLength(5);
    const [first = 0, last = Number.NaN] = [losses[0], losses.at(-1)];
    expect(last).toBeLessThan(first - 0.1);
  },
);
