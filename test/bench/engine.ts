/** Benchmarks of the hypergradient engine, on the backend that training would use. */

import { fileURLToPath } from 'node:url';
import { initBackend } from '@glocal/trainer/backend';
import type { InnerOptimizer } from '@glocal/trainer/engine';
import { lenet as lenets, sgd, TrainingRun } from '@glocal/trainer/engine';
import {
  hypergradientFixtureError,
  neededKernels,
  passes,
  registerPrimitives,
} from '@glocal/trainer/engine-checks';
import * as tf from '@tensorflow/tfjs-core';
import { memoryRowOf } from './memory.ts';
import { noise, release } from './noise.ts';
import { type Row, ratioRow, timeRow } from './row.ts';
import { stockLenet } from './stock-lenet.ts';
import { requireSameLoss, StockTraining } from './stock-training.ts';
import { interleaved } from './timing.ts';

const lenet = lenets.build(lenets.typical);
const STOCK = { lr: 0.05, momentum: 0.5, weightDecay: 5e-4 };
const VALUES = { lr: [STOCK.lr], momentum: [STOCK.momentum], weightDecay: [STOCK.weightDecay] };
const SLOPES = [0.0475, 0.25, 5e-4];
const BATCH = 128;
/** Examples that second derivatives are taken on, where that is not the whole batch. */
const TANGENTS = 32;
const VALIDATION = 1000;
const ROUNDS = { warmUp: 5, measured: 40 };
const QUICK_ROUNDS = { warmUp: 2, measured: 8 };
const LEAK_STEPS = 1000;
const MEMORY_STEPS = 30;
/** Calls of each kernel that its rule is tested on. */
const RULE_CALLS = 10;

/** Number of learned hyperparameters of the wide step. */
const MANY = 16;
/** SGD with as many hyperparameters as that; what the others would do does not change the time. */
const manySgd: InnerOptimizer = {
  ...sgd,
  hyperparameters: [
    ...sgd.hyperparameters,
    ...Array.from({ length: MANY - sgd.hyperparameters.length }, (_, k) => ({
      name: `idle${k}`,
      description: 'Moves nothing',
      min: 0,
      max: 1,
      defaultValue: 0,
      groupings: ['none'] as const,
    })),
  ],
};

let ready: Promise<unknown> | undefined;
const backend = () => {
  ready ??= initBackend({ log: (line) => console.error(line) });
  return ready;
};

/** All rows of the engine. The accuracy row compares with the project's own fixtures. */
export async function engineRows(): Promise<Row[]> {
  // First, while this process is small: on Linux a program's largest memory counts from that of the one that started it.
  const memory = await memoryRow();
  return [...(await timeRows()), memory, await hypergradientErrorRow(), await leakRow(), await rulesRow()];
}

/** `engine.lenet.hypergradient_rel_error`: how far hypergradients are from the reference in `folder`. */
export async function hypergradientErrorRow(
  folder = fileURLToPath(new URL('../../services/trainer/fixtures', import.meta.url)),
): Promise<Row> {
  await backend();
  const value = await hypergradientFixtureError(folder);
  return { name: 'engine.lenet.hypergradient_rel_error', value, unit: 'relative', n: 15 };
}

/**
 * Steps and a validation gradient of LeNet, interleaved. *Plain* in the ratios is the stock step, what a user of tfjs has
 * without this project; our own step without hyperparameters, a row of its own, is what `own_plain` and the steps with second
 * derivatives on 32 examples are compared with.
 */
async function timeRows(): Promise<Row[]> {
  await backend();
  const stock = new StockTraining(stockLenet, lenet, lenet.initialise(0), STOCK);
  const ours = run(sgd, 0);
  const three = run(sgd, 3);
  const many = run(manySgd, MANY);
  const threeOfPart = run(sgd, 3, TANGENTS);
  const manyOfPart = run(manySgd, MANY, TANGENTS);
  const batch = noise(lenet, BATCH);
  const validation = noise(lenet, VALIDATION);
  const step = (training: TrainingRun) => () => training.step(batch, VALUES, slopes(training.q));
  const steps = {
    stock: () => stock.step(batch),
    plain: step(ours),
    step_q3: step(three),
    step_q16: step(many),
    step_q3_b32: step(threeOfPart),
    step_q16_b32: step(manyOfPart),
  };
  // The first step has no sensitivity to carry.
  for (const first of Object.values(steps)) first();
  requireSameLoss(ours, stock, batch);
  const times = interleaved(ROUNDS, { ...steps, valgrad1000: () => three.hypergradient(validation) });
  for (const thing of [stock, ours, three, many, threeOfPart, manyOfPart]) thing.dispose();
  release(batch, validation);
  const { stock: plain, plain: own, ...others } = times;
  const { step_q3_b32, step_q16_b32, ...whole } = others;
  return [
    ...Object.entries(whole).map(([name, measured]) =>
      ratioRow(`engine.lenet.${name}_over_plain`, measured, plain),
    ),
    ratioRow('engine.lenet.step_q3_over_own_plain', whole.step_q3, own),
    ratioRow('engine.lenet.step_q3_b32_over_plain', step_q3_b32, own),
    ratioRow('engine.lenet.step_q16_b32_over_plain', step_q16_b32, own),
    ...Object.entries({ stock_plain: plain, plain: own, ...others }).map(([name, measured]) =>
      timeRow(`engine.lenet.${name}_ms`, measured),
    ),
  ];
}

/** The steps alone, in fewer rounds: seconds in place of minutes. */
export async function quickStepRows(): Promise<Row[]> {
  await backend();
  const [ours, three] = [run(sgd, 0), run(sgd, 3)];
  const batch = noise(lenet, BATCH);
  const step = (training: TrainingRun) => () => training.step(batch, VALUES, slopes(training.q));
  const { plain, tuned } = interleaved(QUICK_ROUNDS, { plain: step(ours), tuned: step(three) });
  for (const training of [ours, three]) training.dispose();
  release(batch);
  return [
    timeRow('quick.lenet_plain_step_ms', plain),
    ratioRow('quick.lenet_step_q3_over_own_plain', tuned, plain),
  ];
}

/** Largest resident memory of a process that trains LeNet with hypergradients on a validation set, and does nothing else. */
const memoryRow = (): Promise<Row> => memoryRowOf('engine.lenet.peak_rss_mb', 'lenet', MEMORY_STEPS);

/** Trains for {@link memoryRow}. */
export async function trainLenet(): Promise<void> {
  await backend();
  const training = run(sgd, 3);
  const batch = noise(lenet, BATCH);
  const validation = noise(lenet, VALIDATION);
  for (let t = 0; t < MEMORY_STEPS; t++) {
    training.step(batch, VALUES, SLOPES);
    training.hypergradient(validation);
  }
}

/** Tensors and buffers that training with hypergradients holds more of after many steps than after a few. */
async function leakRow(): Promise<Row> {
  await backend();
  const training = run(sgd, 3);
  const batch = noise(lenet, 8);
  const window = (steps: number) => {
    for (let t = 0; t < steps; t++) {
      training.step(batch, VALUES, SLOPES);
      if (t % 50 < 49) continue;
      training.hypergradient(batch);
      training.takeTrainLoss();
      training.startWindow();
    }
  };
  window(50);
  const before = tf.memory();
  window(LEAK_STEPS);
  const after = tf.memory();
  const value = Math.max(after.numTensors - before.numTensors, after.numDataBuffers - before.numDataBuffers);
  training.dispose();
  release(batch);
  return { name: 'engine.leaked_tensors_1000_steps', value, unit: 'tensors', n: LEAK_STEPS };
}

/** Of the kernels that need a JVP rule, those whose rule agrees with central differences. */
async function rulesRow(): Promise<Row> {
  const needed = await neededKernels();
  await initBackend({ log: (line) => console.error(line) });
  registerPrimitives(tf.getBackend());
  const right = needed.filter(({ kernel }) => passes(kernel, RULE_CALLS));
  const value = right.length / needed.length;
  return { name: 'engine.rules_tested_share', value, unit: 'share', n: needed.length };
}

const run = (optimizer: InnerOptimizer, q: number, tangents = BATCH): TrainingRun =>
  new TrainingRun({
    model: lenet,
    tangentExamples: { count: tangents, seed: 0 },
    optimizer,
    weights: lenet.initialise(0),
    learned: optimizer.hyperparameters.slice(0, q).map(({ name }) => ({ name, index: 0 })),
  });

const slopes = (q: number): number[] => Array.from({ length: q }, (_, k) => SLOPES[k] ?? 0);
