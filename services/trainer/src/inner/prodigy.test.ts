import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import { prodigy } from './prodigy.ts';
import {
  at,
  expectNothingLeftBehind,
  hostExamples,
  onBackend,
  perceptron,
  type ReferenceValues,
  referenceRun,
  relativeError,
} from './testing.ts';
import { TrainingRun } from './training-run.ts';

beforeAll(() => tf.setBackend('cpu'));

expectNothingLeftBehind();

const START = perceptron.initialise(3);
const BATCHES = Array.from({ length: 30 }, (_, t) => hostExamples(5, 10 * t));
const DISTANCE = prodigy.buffers.indexOf('distance');

function trained(values: ReferenceValues) {
  const run = new TrainingRun({ model: perceptron, optimizer: prodigy, weights: START, learned: [] });
  try {
    for (const batch of BATCHES) run.step(onBackend(batch), values, []);
    return run.snapshot();
  } finally {
    run.dispose();
  }
}

it.each<[string, ReferenceValues]>([
  ['at its defaults', {}],
  ['from a larger estimate', { d0: [1e-3] }],
  ['with weight decay and half of the rate', { weightDecay: [0.1], lr: [0.5] }],
  ['with rates for each layer', { lr: [1, 0.5] }],
])('moves weights and estimate as written out in double precision %s', (_what, values) => {
  const setup = { optimizer: 'prodigy', theta: START, batches: BATCHES, held: hostExamples(7, 1000) };
  const { theta, distance } = referenceRun(setup, () => values);
  const { weights, buffers } = trained(values);
  const estimates = at(buffers, DISTANCE);
  expect(new Set(estimates).size, 'one estimate for all weights').toBe(1);
  expect(at(estimates, 0) / distance).toBeCloseTo(1, 3);
  expect(relativeError(weights, theta)).toBeLessThan(1e-4);
});

it('comes to an estimate of the same order of size from starts that are a thousand times apart', () => {
  const [small, large] = [1e-7, 1e-4].map((d0) => at(at(trained({ d0: [d0] }).buffers, DISTANCE), 0));
  expect(small).toBeGreaterThan(1e-5);
  expect(Math.abs(Math.log10((large ?? 0) / (small ?? 1)))).toBeLessThan(2);
});
