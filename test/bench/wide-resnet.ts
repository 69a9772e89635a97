/** Benchmarks of WideResNet 16-2 on images of CIFAR's shape: a step that learns two hyperparameters, and one that learns none. */

import { initBackend } from '@glocal/trainer/backend';
import { sgd, TrainingRun, wideResnet16x2 } from '@glocal/trainer/engine';
import { noise, release } from './noise.ts';
import { type Row, ratioRow, timeRow } from './row.ts';
import { requireSameLoss, StockTraining } from './stock-training.ts';
import { stockWideResnet16 } from './stock-wide-resnet.ts';
import { interleaved } from './timing.ts';

const model = wideResnet16x2.build(wideResnet16x2.typical);
const BATCH = 128;
const LEARNED = ['lr', 'weightDecay'].map((name) => ({ name, index: 0 }));
const STOCK = { lr: 0.01, momentum: 0.9, weightDecay: 5e-4 };
const VALUES = { lr: [STOCK.lr], momentum: [STOCK.momentum], weightDecay: [STOCK.weightDecay] };
const SLOPES = [0.01, 5e-4];
const ROUNDS = { warmUp: 1, measured: 7 };

/** *Plain* in the ratio is the stock step; our own without hyperparameters is a row of its own, as for LeNet. */
export async function wideResnetRows(): Promise<Row[]> {
  await initBackend({ log: (line) => console.error(line) });
  const weights = model.initialise(0);
  const shared = { model, optimizer: sgd, weights };
  const stock = new StockTraining(stockWideResnet16, model, weights, STOCK);
  const ours = new TrainingRun({ ...shared, learned: [] });
  const two = new TrainingRun({ ...shared, learned: LEARNED });
  const batch = noise(model, BATCH);
  const tasks = {
    stock: () => stock.step(batch),
    plain: () => ours.step(batch, VALUES, []),
    two: () => two.step(batch, VALUES, SLOPES),
  };
  // The first step has no sensitivity to carry.
  for (const step of Object.values(tasks)) step();
  requireSameLoss(ours, stock, batch);
  const times = interleaved(ROUNDS, tasks);
  for (const thing of [stock, ours, two]) thing.dispose();
  release(batch);
  return [
    ratioRow('engine.wrn16_2.step_q2_over_plain', times.two, times.stock),
    timeRow('engine.wrn16_2.stock_plain_ms', times.stock),
    timeRow('engine.wrn16_2.plain_ms', times.plain),
    timeRow('engine.wrn16_2.step_q2_ms', times.two),
  ];
}
