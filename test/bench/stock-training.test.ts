/** The stock networks that the engine is compared with are the same networks as ours, and so are their steps. */

import { initBackend } from '@glocal/trainer/backend';
import { lenet, sgd, TrainingRun, wideResnet16x2 } from '@glocal/trainer/engine';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import { noise, release } from './noise.ts';
import { stockLenet } from './stock-lenet.ts';
import { requireSameLoss, type StockNetwork, StockTraining } from './stock-training.ts';
import { stockWideResnet16 } from './stock-wide-resnet.ts';

const VALUES = { lr: 0.05, momentum: 0.5, weightDecay: 5e-3 };
const OURS = { lr: [VALUES.lr], momentum: [VALUES.momentum], weightDecay: [VALUES.weightDecay] };
const BATCH = 6;

beforeAll(async () => {
  await initBackend({ log: () => {} });
});

it.each([
  { network: stockLenet, model: lenet.build({ inputShape: [18, 16, 2], classes: 4 }) },
  { network: stockWideResnet16, model: wideResnet16x2.build({ inputShape: [10, 8, 3], classes: 4 }) },
])('the stock network of $model.id has our loss, also after steps', ({ network, model }) => {
  // No two weights start alike, so that none can stand in for another.
  const weights = model.initialise(1).map((weight, i) => weight + 0.1 * Math.sin(i + 1));
  const batch = noise(model, BATCH);
  const ours = new TrainingRun({ model, optimizer: sgd, weights, learned: [] });
  const stock = new StockTraining(network, model, weights, VALUES);
  for (let t = 0; t < 3; t++) {
    const { loss } = ours.evaluate(batch);
    expect(Math.abs(stock.loss(batch) / loss - 1)).toBeLessThan(1e-5);
    ours.step(batch, OURS, []);
    stock.step(batch);
  }
  release(batch);
  for (const training of [ours, stock]) training.dispose();
});

it('does not compare with another network', () => {
  const model = lenet.build({ inputShape: [16, 16, 1], classes: 2 });
  const weights = model.initialise(1);
  const ours = new TrainingRun({ model, optimizer: sgd, weights, learned: [] });
  const squashed: StockNetwork = (parameters, x) => tf.mul(stockLenet(parameters, x), 0.9);
  const batch = noise(model, BATCH);
  const stock = new StockTraining(squashed, model, weights, VALUES);
  expect(() => requireSameLoss(ours, stock, batch)).toThrow(/stock network's loss is .*, that of lenet /);
  release(batch);
  for (const training of [ours, stock]) training.dispose();
});
