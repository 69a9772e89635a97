/** Program: our steps and our validation gradient, as `lenet_jax.py` and `lenet_torch.py` have theirs. Started by run.ts. */

import { chooseBackend, initBackend } from '@glocal/trainer/backend';
import { type Examples as Labelled, sgd, TrainingRun } from '@glocal/trainer/engine';
import * as tf from '@tensorflow/tfjs-core';
import { takingTurns } from '../timing.ts';
import type { Answer } from './answer.ts';
import { type Examples, lenet, readProblem } from './problem.ts';

const problem = readProblem(process.argv[2] as string);
await initBackend({ log: (line) => console.error(line) });

const batch = examples('batch');
const validation = examples('validation');
const names = sgd.hyperparameters.map(({ name }) => name);
const values = Object.fromEntries(names.map((name, i) => [name, [problem.values[i] as number]]));
const plain = training(0);
const learning = training(names.length);
const step = () => plain.step(batch, values, []);
const stepWithTangents = () => learning.step(batch, values, problem.slopes);
const hypergradient = () => learning.hypergradient(validation) as Float64Array;

const { loss } = plain.evaluate(batch);
for (let t = 0; t < problem.checkSteps; t++) {
  step();
  stepWithTangents();
}
const answer: Answer = {
  name: `Glocal, ${chooseBackend().description}`,
  check: {
    loss,
    plainLoss: plain.evaluate(validation).loss,
    learningLoss: learning.evaluate(validation).loss,
    hypergradient: [...hypergradient()],
  },
  times: takingTurns(problem.rounds, { plain: step, learning: stepWithTangents, validation: hypergradient }),
};
console.log(JSON.stringify(answer));
// The native backend keeps threads that would hold the process.
process.exit(0);

function training(q: number): TrainingRun {
  const learned = names.slice(0, q).map((name) => ({ name, index: 0 }));
  return new TrainingRun({ model: lenet, optimizer: sgd, weights: problem.weights, learned });
}

function examples(name: Examples): Labelled {
  const images = problem.images(name);
  const labels = problem.labels(name);
  return {
    x: tf.tensor(images, [labels.length, ...problem.image]),
    labels: tf.tensor1d(labels, 'int32'),
  };
}
