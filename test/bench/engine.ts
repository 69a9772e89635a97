/** Benchmarks of the hypergradient engine, on the backend that training would use. */

import { fileURLToPath } from 'node:url';
import { initBackend } from '@glocal/trainer/backend/select.ts';
import { hypergradientFixtureError } from '@glocal/trainer/hyper/reference.ts';
import type { Examples } from '@glocal/trainer/inner/loss.ts';
import { sgd } from '@glocal/trainer/inner/sgd.ts';
import { TrainingRun } from '@glocal/trainer/inner/training-run.ts';
import { lenet as lenets } from '@glocal/trainer/model/lenet.ts';
import * as tf from '@tensorflow/tfjs-core';

/** One measured figure. */
export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Number of measurements behind it. */
  readonly n: number;
}

const LEARNED = ['lr', 'momentum', 'weightDecay'];
const lenet = lenets.build(lenets.typical);
const VALUES = { lr: 0.05, momentum: 0.5, weightDecay: 5e-4 };
const SLOPES = [0.0475, 0.25, 5e-4];
const BATCH = 128;
const VALIDATION = 1000;
const REPETITIONS = 40;
const WARM_UP = 5;
const LEAK_STEPS = 1000;

let ready: Promise<unknown> | undefined;
const backend = () => {
  ready ??= initBackend({ log: (line) => console.error(line) });
  return ready;
};

/** All rows of the engine. The accuracy row compares with the project's own fixtures. */
export async function engineRows(): Promise<Row[]> {
  const ratios = await ratioRows();
  return [...ratios, await hypergradientErrorRow(), await leakRow()];
}

/** `engine.lenet.hypergradient_rel_error`: how far hypergradients are from the reference in `folder`. */
export async function hypergradientErrorRow(
  folder = fileURLToPath(new URL('../../services/trainer/fixtures', import.meta.url)),
): Promise<Row> {
  await backend();
  const value = await hypergradientFixtureError(folder);
  return { name: 'engine.lenet.hypergradient_rel_error', value, unit: 'relative', n: 15 };
}

/** A step with the sensitivity to three hyperparameters, and a validation gradient, over a plain step; interleaved. */
async function ratioRows(): Promise<Row[]> {
  await backend();
  const plain = run([]);
  const learning = run(LEARNED);
  const batch = images(BATCH);
  const validation = images(VALIDATION);
  // The first step after a reset has no sensitivity to carry.
  learning.step(batch, VALUES, SLOPES);
  const tasks = {
    plain: () => plain.step(batch, VALUES, []),
    step: () => learning.step(batch, VALUES, SLOPES),
    gradient: () => learning.hypergradient(validation),
  };
  const times = interleaved(tasks);
  const ratio = (name: string, of: number[]): Row => ({
    name,
    value: median(of) / median(times.plain),
    unit: 'ratio',
    n: REPETITIONS,
  });
  dispose(plain, learning, batch, validation);
  return [
    ratio('engine.lenet.step_q3_over_plain', times.step),
    ratio('engine.lenet.valgrad1000_over_plain', times.gradient),
  ];
}

/** Tensors and buffers that training with hypergradients holds more of after many steps than after a few. */
async function leakRow(): Promise<Row> {
  await backend();
  const learning = run(LEARNED);
  const batch = images(8);
  const window = (steps: number) => {
    for (let t = 0; t < steps; t++) {
      learning.step(batch, VALUES, SLOPES);
      if (t % 50 < 49) continue;
      learning.hypergradient(batch);
      learning.takeTrainLoss();
      learning.resetSensitivity();
    }
  };
  window(50);
  const before = tf.memory();
  window(LEAK_STEPS);
  const after = tf.memory();
  const value = Math.max(after.numTensors - before.numTensors, after.numDataBuffers - before.numDataBuffers);
  dispose(learning, batch);
  return { name: 'engine.leaked_tensors_1000_steps', value, unit: 'tensors', n: LEAK_STEPS };
}

const run = (learned: readonly string[]): TrainingRun =>
  new TrainingRun({ model: lenet, optimizer: sgd, weights: lenet.initialise(0), learned });

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

function dispose(...things: (TrainingRun | Examples)[]): void {
  for (const thing of things) {
    if (thing instanceof TrainingRun) thing.dispose();
    else tf.dispose([thing.x, thing.labels]);
  }
}
