/** Benchmarks of the hypergradient engine, on the backend that training would use. */

import { fileURLToPath } from 'node:url';
import { registerPrimitives } from '@glocal/trainer/ad/ops/primitives.ts';
import { neededKernels, passes } from '@glocal/trainer/ad/rules/coverage.ts';
import { initBackend } from '@glocal/trainer/backend/select.ts';
import { hypergradientFixtureError } from '@glocal/trainer/hyper/reference.ts';
import type { Examples } from '@glocal/trainer/inner/loss.ts';
import type { InnerOptimizer } from '@glocal/trainer/inner/optimizer.ts';
import { sgd } from '@glocal/trainer/inner/sgd.ts';
import { TrainingRun } from '@glocal/trainer/inner/training-run.ts';
import { lenet as lenets } from '@glocal/trainer/model/lenet.ts';
import * as tf from '@tensorflow/tfjs-core';
import { execa } from 'execa';
import { StockLenet } from './stock-lenet.ts';

/** One measured figure. */
export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Number of measurements behind it. */
  readonly n: number;
}

const lenet = lenets.build(lenets.typical);
const STOCK = { lr: 0.05, momentum: 0.5, weightDecay: 5e-4 };
const VALUES = { lr: [STOCK.lr], momentum: [STOCK.momentum], weightDecay: [STOCK.weightDecay] };
const SLOPES = [0.0475, 0.25, 5e-4];
const BATCH = 128;
const VALIDATION = 1000;
const REPETITIONS = 40;
const WARM_UP = 5;
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
  const times = await timeRows();
  return [...times, await memoryRow(), await hypergradientErrorRow(), await leakRow(), await rulesRow()];
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
 * without this project; our own step without hyperparameters is a row of its own.
 */
async function timeRows(): Promise<Row[]> {
  await backend();
  const stock = new StockLenet(lenet, STOCK);
  const ours = run(sgd, 0);
  const three = run(sgd, 3);
  const many = run(manySgd, MANY);
  const batch = images(BATCH);
  const validation = images(VALIDATION);
  const step = (training: TrainingRun) => () => training.step(batch, VALUES, slopes(training.q));
  // The first step after a reset has no sensitivity to carry.
  step(three)();
  step(many)();
  const times = interleaved({
    stock: () => stock.step(batch),
    plain: step(ours),
    step_q3: step(three),
    step_q16: step(many),
    valgrad1000: () => three.hypergradient(validation),
  });
  for (const thing of [stock, ours, three, many]) thing.dispose();
  tf.dispose([batch.x, batch.labels, validation.x, validation.labels]);
  const { stock: plain, plain: own, ...others } = times;
  const milliseconds = Object.entries({ stock_plain: plain, plain: own, ...others }).map(
    ([name, measured]): Row => ({
      name: `engine.lenet.${name}_ms`,
      value: median(measured),
      unit: 'ms',
      n: REPETITIONS,
    }),
  );
  const ratios = Object.entries(others).map(
    ([name, measured]): Row => ({
      name: `engine.lenet.${name}_over_plain`,
      value: median(measured) / median(plain),
      unit: 'ratio',
      n: REPETITIONS,
    }),
  );
  return [...ratios, ...milliseconds];
}

/** Largest resident memory of a process that trains LeNet with hypergradients on a validation set, and does nothing else. */
async function memoryRow(): Promise<Row> {
  const { stdout } = await execa(process.execPath, [
    fileURLToPath(new URL('engine-memory.ts', import.meta.url)),
  ]);
  return { name: 'engine.lenet.peak_rss_mb', value: Number(stdout), unit: 'MB', n: MEMORY_STEPS };
}

/** Trains for {@link memoryRow}, and answers with this process's largest resident memory in MB. */
export async function peakMemory(): Promise<number> {
  await backend();
  const training = run(sgd, 3);
  const batch = images(BATCH);
  const validation = images(VALIDATION);
  for (let t = 0; t < MEMORY_STEPS; t++) {
    training.step(batch, VALUES, SLOPES);
    training.hypergradient(validation);
  }
  return (process.resourceUsage().maxRSS * 1024) / 1e6;
}

/** Tensors and buffers that training with hypergradients holds more of after many steps than after a few. */
async function leakRow(): Promise<Row> {
  await backend();
  const training = run(sgd, 3);
  const batch = images(8);
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
  tf.dispose([batch.x, batch.labels]);
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

const run = (optimizer: InnerOptimizer, q: number): TrainingRun =>
  new TrainingRun({
    model: lenet,
    optimizer,
    weights: lenet.initialise(0),
    learned: optimizer.hyperparameters.slice(0, q).map(({ name }) => ({ name, index: 0 })),
  });

const slopes = (q: number): number[] => Array.from({ length: q }, (_, k) => SLOPES[k] ?? 0);

/** Noise; what the numbers are does not change the time. */
const images = (count: number): Examples => ({
  x: tf.randomUniform([count, ...lenet.inputShape], 0, 1, 'float32', 'images'),
  labels: tf.randomUniform<tf.Rank.R1>([count], 0, lenet.classes, 'int32', 'labels'),
});

/** Milliseconds of each task, taken in turns so that a busy machine slows all of them. */
function interleaved<K extends string>(tasks: Readonly<Record<K, () => void>>): Record<K, number[]> {
  const names = Object.keys(tasks) as K[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<K, number[]>;
  for (let i = 0; i < WARM_UP + REPETITIONS; i++) {
    for (const name of names) {
      const start = performance.now();
      tasks[name]();
      if (i >= WARM_UP) times[name].push(performance.now() - start);
    }
  }
  return times;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}
