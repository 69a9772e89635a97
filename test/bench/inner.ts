/** Benchmarks of inner training with many hyperparameters, and at averaged weights. */

import { initBackend } from '@glocal/trainer/backend/select.ts';
import type { LearnedComponent } from '@glocal/trainer/inner/hyperparameter.ts';
import type { Examples } from '@glocal/trainer/inner/loss.ts';
import { initialNetwork, networkSize } from '@glocal/trainer/inner/reweighting.ts';
import { sgd } from '@glocal/trainer/inner/sgd.ts';
import { REWEIGHTING } from '@glocal/trainer/inner/training-loss.ts';
import { TrainingRun } from '@glocal/trainer/inner/training-run.ts';
import { lenet as lenets } from '@glocal/trainer/model/lenet.ts';
import { mlp as perceptrons } from '@glocal/trainer/model/mlp.ts';
import type { Model } from '@glocal/trainer/model/model.ts';
import * as tf from '@tensorflow/tfjs-core';
import type { Row } from './engine.ts';
import { median } from './statistics.ts';

const lenet = lenets.build(lenets.typical);
const mlp = perceptrons.build(perceptrons.typical);
const BATCH = 128;
const VALIDATION = 1000;
/** Inner steps of a window, τ, and hypergradients at its end, σ. */
const WINDOW = 50;
const HYPERGRADIENTS = 20;
/** Steps that an adjoint goes back, k. */
const BACK = 10;
const ROUNDS = 11;
const STEPS = 40;
const WARM_UP = 5;

/** All rows of this file. */
export async function innerRows(): Promise<Row[]> {
  await initBackend({ log: (line) => console.error(line) });
  return [reverseRow(), averagedRow()];
}

/**
 * `engine.mlp.q385_reverse_k10_over_plain`: a glocal window that learns the meta-module of the paper in reverse mode, over
 * one of plain training on the plain cross-entropy; with all validation gradients. The windows are run in turns.
 */
function reverseRow(): Row {
  const reweighting = { hidden: 128, detached: true };
  const learned = Array.from(
    { length: networkSize(reweighting) },
    (_, index): LearnedComponent => ({ name: REWEIGHTING, index }),
  );
  const shared = { model: mlp, optimizer: sgd, weights: mlp.initialise(0) };
  const plain = new TrainingRun({ ...shared, learned: [] });
  const learning = new TrainingRun({
    ...shared,
    learned,
    loss: { reweighting },
    differentiation: { method: 'reverse', steps: BACK },
  });
  const values = { lr: [0.01], momentum: [0.9] };
  const network = { ...values, [REWEIGHTING]: initialNetwork(reweighting, 0) };
  const slopes = learned.map(() => 1);
  const batch = noise(mlp, BATCH);
  const validation = noise(mlp, VALIDATION);
  const windows = interleaved(1, ROUNDS, {
    plain() {
      for (let t = 0; t < WINDOW; t++) plain.step(batch, values, []);
      plain.takeTrainLoss();
    },
    learning() {
      learning.startWindow();
      for (let t = 1; t <= WINDOW; t++) {
        learning.step(batch, network, slopes);
        if (t > WINDOW - HYPERGRADIENTS) learning.hypergradient(validation);
      }
      learning.endWindow();
      learning.takeTrainLoss();
    },
  });
  dispose([plain, learning], [batch, validation]);
  return ratio('engine.mlp.q385_reverse_k10_over_plain', windows.learning, windows.plain);
}

/** `engine.averaged_step_over_last_iterate_step`: a step of LeNet with three hyperparameters that keeps Z̄, over one that does not. */
function averagedRow(): Row {
  const learned = ['lr', 'momentum', 'weightDecay'].map((name) => ({ name, index: 0 }));
  const shared = { model: lenet, optimizer: sgd, weights: lenet.initialise(0), learned };
  const raw = new TrainingRun(shared);
  const averaged = new TrainingRun({ ...shared, evaluation: 'averaged' });
  const batch = noise(lenet, BATCH);
  const values = { lr: [0.05], momentum: [0.5], weightDecay: [5e-4] };
  const step = (run: TrainingRun) => () => run.step(batch, values, [0.0475, 0.25, 5e-4]);
  const times = interleaved(WARM_UP, STEPS, { raw: step(raw), averaged: step(averaged) });
  dispose([raw, averaged], [batch]);
  return ratio('engine.averaged_step_over_last_iterate_step', times.averaged, times.raw);
}

const ratio = (name: string, of: readonly number[], over: readonly number[]): Row => ({
  name,
  value: median(of) / median(over),
  unit: 'ratio',
  n: of.length,
});

/** What the numbers are does not change the time. */
const noise = ({ inputShape, classes }: Model, count: number): Examples => ({
  x: tf.randomUniform([count, ...inputShape], 0, 1, 'float32', 'images'),
  labels: tf.randomUniform<tf.Rank.R1>([count], 0, classes, 'int32', 'labels'),
});

/** Milliseconds of each task, taken in turns so that a busy machine slows all of them. */
function interleaved<K extends string>(
  warmUp: number,
  repetitions: number,
  tasks: Readonly<Record<K, () => void>>,
): Record<K, number[]> {
  const names = Object.keys(tasks) as K[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<K, number[]>;
  for (let i = 0; i < warmUp + repetitions; i++) {
    for (const name of names) {
      const start = performance.now();
      tasks[name]();
      if (i >= warmUp) times[name].push(performance.now() - start);
    }
  }
  return times;
}

function dispose(runs: readonly TrainingRun[], examples: readonly Examples[]): void {
  for (const run of runs) run.dispose();
  for (const { x, labels } of examples) tf.dispose([x, labels]);
}
