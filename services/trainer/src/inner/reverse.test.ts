import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { leakyRelu } from '../ad/ops/layers.ts';
import { isNativeInstalled } from '../backend/native-runtime.ts';
import { type BackendName, initBackend } from '../backend/select.ts';
import { dense } from '../model/layers.ts';
import { defineModel } from '../model/model.ts';
import type { LearnedComponent } from './hyperparameter.ts';
import { getOptimizer } from './registry.ts';
import { initialNetwork } from './reweighting.ts';
import {
  at,
  expectNothingLeftBehind,
  hostExamples,
  onBackend,
  perceptron,
  relativeError,
} from './testing.ts';
import { type Differentiation, TrainingRun, type TrainingRunOptions } from './training-run.ts';

const installed: BackendName[] = isNativeInstalled() ? ['tensorflow', 'wasm'] : ['wasm'];

/** 30 inputs, 16 hidden units, 10 classes. */
const mlp = defineModel({
  id: 'small-mlp',
  description: 'Perceptron with 16 hidden units, leaky ReLU',
  inputShape: [30],
  classes: 10,
  parameters: [
    { name: 'dense1/kernel', shape: [30, 16], fanIn: 30 },
    { name: 'dense1/bias', shape: [16], fanIn: 30 },
    { name: 'dense2/kernel', shape: [16, 10], fanIn: 16 },
    { name: 'dense2/bias', shape: [10], fanIn: 16 },
  ],
  apply([kernel1, bias1, kernel2, bias2], x) {
    const hidden = leakyRelu(dense(x as tf.Tensor2D, kernel1 as tf.Tensor2D, bias1 as tf.Tensor1D), 0.01);
    return dense(hidden, kernel2 as tf.Tensor2D, bias2 as tf.Tensor1D);
  },
});

const every = (name: string, count: number): LearnedComponent[] =>
  Array.from({ length: count }, (_, index) => ({ name, index }));

/** Trains for some steps, with a hypergradient after each of the given steps; in forward mode Z may be reset before some. */
function hypergradients(
  options: Omit<TrainingRunOptions, 'weights'>,
  values: Readonly<Record<string, ArrayLike<number>>>,
  { steps, after, resetBefore }: { steps: number; after: readonly number[]; resetBefore?: number },
): Float64Array[] {
  const { model, learned } = options;
  const run = new TrainingRun({ ...options, weights: model.initialise(2) });
  const examples = (count: number, seed: number) =>
    onBackend(hostExamples(count, seed, model.inputShape[0], model.classes));
  try {
    const now: Float64Array[] = [];
    for (let t = 1; t <= steps; t++) {
      if (t === resetBefore) run.startWindow();
      const batch = examples(6, t);
      run.step(
        batch,
        values,
        learned.map(() => 1),
      );
      if (after.includes(t)) {
        const found = run.hypergradient(examples(9, 100));
        if (found !== undefined) now.push(found);
      }
      tf.dispose([batch.x, batch.labels]);
    }
    return [...now, ...run.endWindow()];
  } finally {
    run.dispose();
  }
}

const REVERSE = (steps: number): Differentiation => ({ method: 'reverse', steps });

describe.each(installed)('on backend %s', (backend) => {
  beforeAll(() => initBackend({ backend, log: () => {} }));

  expectNothingLeftBehind();

  describe.each([true, false])('the 385 weights of a meta-module, detached: %s', (detached) => {
    const reweighting = { hidden: 128, detached };
    const values = { lr: [0.1], momentum: [0.9], reweighting: initialNetwork(reweighting, 1) };
    const options = {
      model: mlp,
      optimizer: getOptimizer('sgd'),
      loss: { reweighting },
      learned: every('reweighting', 385),
    };

    it('have the same hypergradients by reverse mode over the window as by forward mode in chunks', () => {
      const window = { steps: 4, after: [4] };
      const [forward] = hypergradients(
        { ...options, differentiation: { method: 'forward', chunk: 48 } },
        values,
        window,
      );
      const [reverse] = hypergradients({ ...options, differentiation: REVERSE(4) }, values, window);
      expect(relativeError(reverse ?? [], forward ?? [])).toBeLessThanOrEqual(1e-4);
    });
  });

  const values = {
    lr: [0.2, 0.1],
    momentum: [0.7],
    labelSmoothing: [0.1],
    classWeights: [1, 2, 0.5],
    relativeClassWeights: [2, 0.5, 1],
    reweighting: initialNetwork({ hidden: 4 }, 1),
  };
  const learned = Object.entries(values).flatMap(([name, { length }]) => every(name, length));
  const options = {
    model: perceptron,
    optimizer: getOptimizer('sgd'),
    loss: { reweighting: { hidden: 4, detached: true } },
    learned,
  };

  it.each(['lastIterate', 'averaged'] as const)(
    'many hypergradients of a window at once are those of forward mode, each after its own steps (%s)',
    (evaluation) => {
      const window = { steps: 20, after: Array.from({ length: 18 }, (_, i) => i + 3) };
      const forward = hypergradients({ ...options, evaluation, averaging: 0.9 }, values, window);
      const reverse = hypergradients(
        { ...options, evaluation, averaging: 0.9, differentiation: REVERSE(20) },
        values,
        window,
      );
      expect(reverse.length).toBe(18);
      reverse.forEach((row, i) => {
        expect(relativeError(row, at(forward, i)), `row ${i}`).toBeLessThanOrEqual(1e-4);
      });
    },
  );

  it.each(['lastIterate', 'averaged'] as const)(
    'truncated after 3 steps they are those of forward mode with Z reset 3 steps before, also with gaps (%s)',
    (evaluation) => {
      const after = [2, 3, 8, 9, 12];
      const reverse = hypergradients({ ...options, evaluation, differentiation: REVERSE(3) }, values, {
        steps: 12,
        after,
      });
      after.forEach((step, i) => {
        const [forward] = hypergradients({ ...options, evaluation }, values, {
          steps: step,
          after: [step],
          resetBefore: Math.max(1, step - 2),
        });
        expect(relativeError(at(reverse, i), forward ?? []), `after step ${step}`).toBeLessThanOrEqual(1e-4);
      });
    },
  );

  it('over one step with nothing learned of the loss, no second derivatives are needed, and it is exact', () => {
    const plain = { model: perceptron, optimizer: getOptimizer('adam'), learned: every('lr', 1) };
    const window = { steps: 3, after: [3] };
    const [reverse] = hypergradients({ ...plain, differentiation: REVERSE(1) }, { lr: [0.1] }, window);
    const [forward] = hypergradients(plain, { lr: [0.1] }, { ...window, resetBefore: 3 });
    expect(relativeError(reverse ?? [], forward ?? [])).toBeLessThanOrEqual(1e-5);
  });
});
