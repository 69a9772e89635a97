import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { getOptimizer } from './registry.ts';
import { scheduleFree } from './schedule-free.ts';
import {
  at,
  expectNothingLeftBehind,
  hostExamples,
  onBackend,
  perceptron,
  plainLoss,
  type ReferenceValues,
  referenceRun,
  relativeError,
} from './testing.ts';
import { TrainingRun } from './training-run.ts';
import { nextShare } from './weight-average.ts';

beforeAll(() => tf.setBackend('cpu'));

expectNothingLeftBehind();

const STEPS = 12;
const START = perceptron.initialise(3);
const BATCHES = Array.from({ length: STEPS }, (_, t) => hostExamples(5, 10 * t));
const HELD = hostExamples(7, 1000);

/** Trains, with values that may differ from step to step. */
function trained<T>(
  optimizer: string,
  valuesOf: (step: number) => ReferenceValues,
  use: (run: TrainingRun) => T,
): T {
  const run = new TrainingRun({
    model: perceptron,
    optimizer: getOptimizer(optimizer),
    weights: START,
    learned: [],
  });
  try {
    BATCHES.forEach((batch, t) => {
      run.step(onBackend(batch), valuesOf(t), []);
    });
    return use(run);
  } finally {
    run.dispose();
  }
}

describe.each([
  ['schedule-free', 0.3],
  ['schedule-free-adamw', 0.05],
])('%s', (optimizer, rate) => {
  /** A rate that moves from step to step. */
  const moving = (values: ReferenceValues) => (step: number) => ({
    ...values,
    lr: (values.lr ?? [rate]).map((lr) => lr * (1 + 0.5 * Math.sin(step))),
  });

  it.each<[string, ReferenceValues]>([
    ['at its defaults', {}],
    ['as published', { power: [0] }],
    ['with weight decay', { weightDecay: [0.1], beta: [0.7] }],
    ['without interpolation', { beta: [0] }],
    ['with the gradient at the average', { beta: [1] }],
    ['with values for each layer', { lr: [rate, rate / 2], beta: [0.9, 0.6], weightDecay: [0.1, 0] }],
  ])('moves z and x as written out in double precision %s', (_what, values) => {
    const setup = { optimizer, theta: START, batches: BATCHES, held: HELD, averaging: 0 };
    const { theta, evaluated } = referenceRun(setup, moving(values));
    trained(optimizer, moving(values), (run) => {
      const { weights, buffers } = run.snapshot();
      expect(relativeError(weights, theta)).toBeLessThan(1e-5);
      expect(relativeError(at(buffers, 0), evaluated)).toBeLessThan(1e-5);
      const held = onBackend(HELD);
      expect(run.evaluate(held, 'averaged').loss).toBeCloseTo(plainLoss(evaluated, HELD), 5);
      expect(run.evaluate(held, 'lastIterate').loss).toBeCloseTo(plainLoss(theta, HELD), 5);
    });
  });

  it('keeps no running average beside its own', () => {
    trained(optimizer, moving({}), (run) => {
      expect(run.snapshot().average).toBeNull();
    });
  });
});

describe('the share of the newest iterate', () => {
  const sharesOf = (rates: readonly number[], power: number): number[] => {
    let sum: Float64Array = new Float64Array();
    return rates.map((lr, i) => {
      const values = new Map([
        ['lr', Float64Array.of(lr)],
        ['power', Float64Array.of(power)],
      ]);
      const next = nextShare(scheduleFree.average as never, values, i + 1, sum);
      sum = next.sum;
      return at(next.share, 0);
    });
  };

  it('makes the average one of all iterates with weights η² tʳ of sum 1', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 1e-6, max: 100, noNaN: true }), { minLength: 1, maxLength: 30 }),
        fc.double({ min: 0, max: 10, noNaN: true }),
        (rates, power) => {
          const shares = sharesOf(rates, power);
          // What is left of iterate i after all later ones have come in.
          const left = shares.map((share, i) =>
            shares.slice(i + 1).reduce((product, later) => product * (1 - later), share),
          );
          const weights = rates.map((rate, i) => rate ** 2 * (i + 1) ** power);
          const sum = weights.reduce((a, b) => a + b, 0);
          left.forEach((part, i) => {
            expect(part).toBeCloseTo(at(weights, i) / sum, 9);
          });
        },
      ),
      { numRuns: 50 },
    );
  });

  it('is 1 at first, so that the start is forgotten, and 0 while the rate has been 0', () => {
    expect(sharesOf([0, 0, 0.1, 0], 2)).toEqual([0, 0, 1, 0]);
  });
});
