import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { InnerTrainingError } from './errors.ts';
import { getOptimizer } from './registry.ts';
import { initialNetwork } from './reweighting.ts';
import { expectNothingLeftBehind, hostExamples, onBackend, perceptron } from './testing.ts';
import {
  type Differentiation,
  TrainingRun,
  type TrainingRunOptions,
  type TrainingSnapshot,
} from './training-run.ts';

beforeAll(() => tf.setBackend('cpu'));

expectNothingLeftBehind();

const VALUES = { lr: [0.1, 0.05], labelSmoothing: [0.1], reweighting: initialNetwork({ hidden: 2 }, 1) };
const LEARNED = Object.entries(VALUES).flatMap(([name, { length }]) =>
  Array.from({ length }, (_, index) => ({ name, index })),
);
const SLOPES = LEARNED.map((_, k) => 1 + k);

type Options = Pick<TrainingRunOptions, 'differentiation' | 'evaluation'> & { readonly optimizer: string };

function withRun<T>({ optimizer, ...options }: Options, use: (run: TrainingRun) => T, seed = 1): T {
  const run = new TrainingRun({
    model: perceptron,
    optimizer: getOptimizer(optimizer),
    weights: perceptron.initialise(seed),
    learned: LEARNED,
    loss: { reweighting: { hidden: 2, detached: true } },
    ...options,
  });
  try {
    return use(run);
  } finally {
    run.dispose();
  }
}

const batch = (seed: number) => onBackend(hostExamples(5, seed));
const step = (run: TrainingRun, t: number) => run.step(batch(t), VALUES, SLOPES);

const FORWARD: Differentiation = { method: 'forward', chunk: 4 };
const REVERSE: Differentiation = { method: 'reverse', steps: 3 };

describe.each<[string, Options]>([
  ['SGD in forward mode', { optimizer: 'sgd', differentiation: FORWARD }],
  [
    'AdamW in forward mode, averaged',
    { optimizer: 'adamw', differentiation: FORWARD, evaluation: 'averaged' },
  ],
  [
    'Schedule-Free SGD in forward mode, averaged',
    { optimizer: 'schedule-free', differentiation: FORWARD, evaluation: 'averaged' },
  ],
  ['SGD in reverse mode', { optimizer: 'sgd', differentiation: REVERSE }],
  [
    'Schedule-Free AdamW in reverse mode, averaged',
    { optimizer: 'schedule-free-adamw', differentiation: REVERSE, evaluation: 'averaged' },
  ],
  [
    'RMSProp in reverse mode, averaged',
    { optimizer: 'rmsprop', differentiation: REVERSE, evaluation: 'averaged' },
  ],
])('a run of %s', (_what, options) => {
  /** Five steps on, over the start of a window that carries Z on where it can, with hypergradients and figures. */
  function finish(run: TrainingRun): unknown[] {
    const held = batch(50);
    const results: unknown[] = [];
    for (let t = 4; t < 9; t++) {
      step(run, t);
      results.push(run.hypergradient(held));
      if (t !== 5) continue;
      results.push(run.endWindow());
      run.startWindow(options.differentiation === REVERSE ? 0 : 0.5);
    }
    return [...results, run.endWindow(), run.snapshot(), run.evaluate(held, 'averaged'), run.takeTrainLoss()];
  }

  it.each([0, 3])('goes on bit by bit from a snapshot after %d steps, within a window', (steps) => {
    const [expected, snapshot] = withRun(options, (run) => {
      for (let t = 1; t <= steps; t++) {
        step(run, t);
        if (t === 2) run.hypergradient(batch(60));
      }
      const taken = run.snapshot();
      return [finish(run), taken] as const;
    });
    const continued = withRun(
      options,
      (run) => {
        step(run, 77);
        run.restore(structuredClone(snapshot));
        return finish(run);
      },
      99,
    );
    expect(continued).toEqual(expected);
    expect(expected.flat(9).length).toBeGreaterThan(5);
  });

  it('leaves its snapshots alone', () => {
    withRun(options, (run) => {
      step(run, 1);
      run.hypergradient(batch(50));
      const snapshot = run.snapshot();
      const copy = structuredClone(snapshot);
      run.restore(snapshot);
      step(run, 2);
      run.endWindow();
      expect(snapshot).toEqual(copy);
    });
  });

  it('holds no more tensors after many windows', () => {
    const examples = batch(1);
    withRun(options, (run) => {
      const window = (w: number) => {
        run.startWindow();
        for (let t = 0; t < 4; t++) {
          run.step(examples, VALUES, SLOPES);
          if (t >= 2) run.hypergradient(examples);
          if (w % 3 === 0 && t === 2) run.restore(run.snapshot());
        }
        run.evaluate(examples, 'averaged');
        if (w % 4 !== 0) run.endWindow();
        run.takeTrainLoss();
      };
      window(1);
      run.startWindow();
      const before = tf.memory();
      for (let w = 0; w < 8; w++) window(w);
      run.startWindow();
      expect(tf.memory().numTensors).toBe(before.numTensors);
      expect(tf.memory().numDataBuffers).toBe(before.numDataBuffers);
    });
  });
});

describe('a snapshot that does not fit is refused, and nothing has changed:', () => {
  const forward = { optimizer: 'sgd', differentiation: FORWARD };
  const reverse = { optimizer: 'sgd', differentiation: REVERSE };
  const taken = (options: Options): TrainingSnapshot =>
    withRun(options, (run) => {
      step(run, 1);
      return run.snapshot();
    });

  it.each<[string, Options, (fitting: TrainingSnapshot) => TrainingSnapshot, RegExp]>([
    ['other weights', forward, (fitting) => ({ ...fitting, weights: new Float32Array(3) }), /3 numbers.*31/],
    [
      'another average',
      forward,
      (fitting) => ({ ...fitting, average: new Float32Array(3) }),
      /3 numbers.*31/,
    ],
    [
      'another optimizer',
      forward,
      () => taken({ ...forward, optimizer: 'adam' }),
      /2 optimizer buffers; sgd has 1/,
    ],
    [
      'another evaluation point',
      forward,
      () => taken({ ...forward, evaluation: 'averaged' }),
      /evaluation point/,
    ],
    [
      'an optimizer with an average of its own',
      { ...forward, optimizer: 'rmsprop' },
      () => taken({ ...forward, optimizer: 'schedule-free-adamw' }),
      /no running average/,
    ],
    ['reverse mode, to forward mode', forward, () => taken(reverse), /forward mode/],
    ['forward mode, to reverse mode', reverse, () => taken(forward), /reverse mode/],
  ])('of %s', (_what, options, change, message) => {
    withRun(options, (run) => {
      step(run, 1);
      const before = run.snapshot();
      const attempt = () => run.restore(change(before));
      expect(attempt).toThrow(InnerTrainingError);
      expect(attempt).toThrow(
        expect.objectContaining({ reason: 'SHAPE_MISMATCH', message: expect.stringMatching(message) }),
      );
      expect(run.snapshot()).toEqual(before);
    });
  });
});
