/** Benchmarks of WideResNet 16-2 on images of CIFAR's shape: a step that learns two hyperparameters, and one that learns none. */

import { initBackend } from '@glocal/trainer/backend';
import { sgd, TrainingRun, wideResnet16x2 } from '@glocal/trainer/engine';
import { memoryRowOf } from './memory.ts';
import { noise, release } from './noise.ts';
import { type Row, ratioRow, timeRow } from './row.ts';
import { requireSameLoss, StockTraining } from './stock-training.ts';
import { stockWideResnet16 } from './stock-wide-resnet.ts';
import { interleaved } from './timing.ts';

const model = wideResnet16x2.build(wideResnet16x2.typical);
const BATCH = 128;
/** Examples that second derivatives are taken on, where that is not the whole batch. */
const TANGENTS = 32;
const VALIDATION = 1000;
const MEMORY_STEPS = 4;
const LEARNED = ['lr', 'weightDecay'].map((name) => ({ name, index: 0 }));
const STOCK = { lr: 0.01, momentum: 0.9, weightDecay: 5e-4 };
const VALUES = { lr: [STOCK.lr], momentum: [STOCK.momentum], weightDecay: [STOCK.weightDecay] };
const SLOPES = [0.01, 5e-4];
const tangentExamples = { count: TANGENTS, seed: 0 };
const ROUNDS = { warmUp: 1, measured: 7 };

/** *Plain* in the ratios is the stock step, and of the step with second derivatives on 32 examples our own, as for LeNet. */
export async function wideResnetRows(): Promise<Row[]> {
  // First, while this process is small.
  const memory = await memoryRowOf('engine.wrn16_2.peak_rss_mb_q2', 'wide-resnet', MEMORY_STEPS);
  await initBackend({ log: (line) => console.error(line) });
  const weights = model.initialise(0);
  const shared = { model, optimizer: sgd, weights };
  const stock = new StockTraining(stockWideResnet16, model, weights, STOCK);
  const ours = new TrainingRun({ ...shared, learned: [] });
  const two = new TrainingRun({ ...shared, learned: LEARNED });
  const twoOfPart = new TrainingRun({ ...shared, learned: LEARNED, tangentExamples });
  const batch = noise(model, BATCH);
  const tasks = {
    stock: () => stock.step(batch),
    plain: () => ours.step(batch, VALUES, []),
    two: () => two.step(batch, VALUES, SLOPES),
    twoOfPart: () => twoOfPart.step(batch, VALUES, SLOPES),
  };
  // The first step has no sensitivity to carry.
  for (const step of Object.values(tasks)) step();
  requireSameLoss(ours, stock, batch);
  const times = interleaved(ROUNDS, tasks);
  for (const thing of [stock, ours, two, twoOfPart]) thing.dispose();
  release(batch);
  return [
    ratioRow('engine.wrn16_2.step_q2_over_plain', times.two, times.stock),
    ratioRow('engine.wrn16_2.step_q2_b32_over_plain', times.twoOfPart, times.plain),
    timeRow('engine.wrn16_2.stock_plain_ms', times.stock),
    timeRow('engine.wrn16_2.plain_ms', times.plain),
    timeRow('engine.wrn16_2.step_q2_ms', times.two),
    timeRow('engine.wrn16_2.step_q2_b32_ms', times.twoOfPart),
    memory,
  ];
}

/** Trains for the row of memory. */
export async function trainWideResnet(): Promise<void> {
  await initBackend({ log: (line) => console.error(line) });
  const weights = model.initialise(0);
  const training = new TrainingRun({ model, optimizer: sgd, weights, learned: LEARNED, tangentExamples });
  const batch = noise(model, BATCH);
  const validation = noise(model, VALIDATION);
  for (let t = 0; t < MEMORY_STEPS; t++) {
    training.step(batch, VALUES, SLOPES);
    training.hypergradient(validation);
  }
}
