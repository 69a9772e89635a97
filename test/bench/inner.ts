/** Benchmarks of inner training with many hyperparameters, and at averaged weights. */

import { initBackend } from '@glocal/trainer/backend';
import type { LearnedComponent } from '@glocal/trainer/engine';
import {
  initialNetwork,
  lenet as lenets,
  networkSize,
  mlp as perceptrons,
  REWEIGHTING,
  sgd,
  TrainingRun,
} from '@glocal/trainer/engine';
import { noise, release } from './noise.ts';
import { type Row, ratioRow } from './row.ts';
import { interleaved } from './timing.ts';

const lenet = lenets.build(lenets.typical);
const mlp = perceptrons.build(perceptrons.typical);
const BATCH = 128;
const VALIDATION = 1000;
/** Inner steps of a window, τ, and hypergradients at its end, σ. */
const WINDOW = 50;
const HYPERGRADIENTS = 20;
/** Steps that an adjoint goes back, k. */
const BACK = 10;
const WINDOWS = { warmUp: 1, measured: 11 };
const STEPS = { warmUp: 5, measured: 40 };

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
  const windows = interleaved(WINDOWS, {
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
  for (const run of [plain, learning]) run.dispose();
  release(batch, validation);
  return ratioRow('engine.mlp.q385_reverse_k10_over_plain', windows.learning, windows.plain);
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
  const times = interleaved(STEPS, { raw: step(raw), averaged: step(averaged) });
  for (const run of [raw, averaged]) run.dispose();
  release(batch);
  return ratioRow('engine.averaged_step_over_last_iterate_step', times.averaged, times.raw);
}
