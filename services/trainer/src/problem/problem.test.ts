import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { adam } from '../inner/adam.ts';
import { type Differentiation, TrainingRun } from '../inner/training-run.ts';
import { buildProblem } from './built.ts';
import { batchesOf, sampleOf } from './data.ts';
import { type BuiltProblem, defineProblem } from './define.ts';
import { initialWeights, objectiveOf } from './objective.ts';

beforeAll(() => tf.setBackend('cpu'));

const x = () => tf.tensor2d([0.1, 0.7, -0.4, 1.2, 0.3, -0.9, 0.8, 0.5], [4, 2]);
const base = (): BuiltProblem => ({
  parameters: { 'a/w': tf.tensor1d([0.5, -1]), b: tf.scalar(0.2) },
  hyperparameters: {
    slope: { min: 0, max: 2, default: 1 },
    weights: { min: 0, max: 5, default: 0.1, size: 2 },
  },
  train: { x: x() },
  validation: { x: x() },
  loss: ({ 'a/w': w, b }, batch, { slope, weights }) => {
    const output = tf.add(tf.mul(batch.x as tf.Tensor, w as tf.Tensor), b as tf.Tensor);
    const penalty = tf.sum(tf.mul(weights as tf.Tensor, tf.square(w as tf.Tensor)));
    return tf.add(tf.mean(tf.square(tf.sub(tf.mul(slope as tf.Tensor, output), 1))), penalty);
  },
  validationLoss: ({ 'a/w': w, b }, batch) =>
    tf.mean(tf.square(tf.sub(tf.add(tf.mul(batch.x as tf.Tensor, w as tf.Tensor), b as tf.Tensor), 1))),
});

const build = (change: object = {}, options: unknown = {}) =>
  buildProblem(defineProblem({ description: '', build: () => ({ ...base(), ...change }) }), options, 0);

describe('what a module builds', () => {
  it('has the options that its schema makes of those of the study, and the seed', async () => {
    let seen: unknown;
    const definition = defineProblem({
      description: '',
      options: z.object({ depth: z.int().default(3) }),
      build: (context) => {
        seen = context;
        return base();
      },
    });
    await buildProblem(definition, {}, 7);
    expect(seen).toEqual({ options: { depth: 3 }, seed: 7 });
    await expect(buildProblem(definition, { depth: 'x' }, 7)).rejects.toMatchObject({
      name: 'OptionsError',
      message: expect.stringMatching(/^depth: /),
    });
  });

  it.each<[string, object, RegExp]>([
    ['no parameters', { parameters: {} }, /^parameters: has no tensors/],
    ['a parameter that is a number', { parameters: { w: 1 } }, /^parameters: "w" is not a tensor/],
    ['whole numbers', { parameters: { w: tf.tensor1d([1], 'int32') } }, /"w" is int32/],
    ['no validation', { validation: undefined }, /^validation: has no tensors/],
    ['examples of two numbers', { train: { x: tf.ones([3]), y: tf.ones([2]) } }, /"y" has 2 rows and "x" 3/],
    ['no loss', { loss: undefined }, /^loss is not a function/],
    ["an optimizer's name", { hyperparameters: { lr: { min: 0, max: 1, default: 0 } } }, /one called lr/],
    [
      'a default outside',
      { hyperparameters: { h: { min: 0, max: 1, default: 2 } } },
      /h: the default is outside/,
    ],
    ['a misspelt key', { hyperparameters: { h: { min: 0, max: 1, default: 0, group: 1 } } }, /group/],
    ['a bad name', { hyperparameters: { 'h/1': { min: 0, max: 1, default: 0 } } }, /"h\/1" is not 1 to 63/],
  ])('with %s is refused', async (_what, change, message) => {
    await expect(build(change)).rejects.toThrow(message);
  });
});

describe('the loss of a module', () => {
  it('gets scalars and vectors, those that are not listed with their defaults', async () => {
    let seen: Record<string, number[]> = {};
    const problem = await build({
      loss: (_: unknown, __: unknown, given: Record<string, tf.Tensor>) => {
        seen = Object.fromEntries(Object.entries(given).map(([name, { shape }]) => [name, shape]));
        return tf.scalar(0);
      },
    });
    const { trainingLoss } = objectiveOf('own', problem);
    trainingLoss({ x: x() }).value([], { slope: tf.tensor1d([1]) });
    expect(seen).toEqual({ slope: [], weights: [2] });
  });

  it.each<[string, unknown, RegExp]>([
    ['a vector', tf.ones([2]), /loss returned a tensor of shape \[2\]; expected a scalar/],
    ['a number', 1, /loss returned no tensor/],
  ])('may not be %s', async (_what, value, message) => {
    const objective = objectiveOf('own', await build({ loss: () => value }));
    expect(() => objective.trainingLoss({ x: x() }).value([], {})).toThrow(message);
  });
});

describe('the hypergradients of a module', () => {
  const learned = [
    { name: 'slope', index: 0 },
    { name: 'weights', index: 0 },
    { name: 'weights', index: 1 },
    { name: 'lr', index: 0 },
  ];
  const at = [0.8, 0.1, 0.3, 0.05];
  const valuesOf = ([slope = 0, one = 0, two = 0, lr = 0]: readonly number[]) => ({
    slope: [slope],
    weights: [one, two],
    lr: [lr],
    beta1: [0.9],
    beta2: [0.99],
  });

  async function trained(point: readonly number[], differentiation: Differentiation, wanted = learned) {
    const problem = await build({
      // Made for each step, and gone after it.
      train: ({ step, size }: { step: number; size: number }) => ({
        x: tf.fill([size, 2], 0.1 * (step + 1)),
      }),
    });
    const run = new TrainingRun({
      objective: objectiveOf('own', problem),
      optimizer: adam,
      weights: initialWeights(problem),
      learned: wanted,
      differentiation,
    });
    run.startWindow();
    const batch = batchesOf(problem, { batchSize: 3, seed: 0 });
    for (let step = 0; step < 4; step++) {
      tf.tidy(() =>
        run.step(
          batch(step),
          valuesOf(point),
          wanted.map(() => 1),
        ),
      );
    }
    const now = run.hypergradient(problem.validation);
    const [hypergradient = now] = run.endWindow();
    const figures = run.evaluate(problem.validation);
    run.dispose();
    return { hypergradient: [...(hypergradient ?? [])], figures };
  }

  it.each<Differentiation>([{ method: 'forward' }, { method: 'reverse', steps: 4 }])(
    'agree with differences of whole trainings by %o',
    async (differentiation) => {
      const { hypergradient } = await trained(at, differentiation);
      for (const [k, value] of hypergradient.entries()) {
        const loss = async (step: number) => {
          const point = at.map((coordinate, j) => (j === k ? coordinate + step : coordinate));
          return (await trained(point, { method: 'forward' }, [])).figures.loss;
        };
        const difference = ((await loss(0.01)) - (await loss(-0.01))) / 0.02;
        expect(value).toBeCloseTo(difference, 3);
      }
    },
  );

  it('have no accuracy unless the module has one', async () => {
    const { figures } = await trained(at, { method: 'forward' });
    expect(figures).toMatchObject({ accuracy: Number.NaN, examples: 4 });
    const objective = objectiveOf('own', await build({ accuracy: () => tf.scalar(0.5) }));
    const weights = [tf.tensor1d([0.5, -1]), tf.scalar(0.2)];
    expect(objective.figures({ x: x() }, weights)).toMatchObject({ accuracy: 0.5 });
  });
});

it('the batches of a module follow from seed and step; samples have no example twice', async () => {
  const problem = await build({ train: { x: tf.range(0, 10), y: tf.range(0, 10) } });
  const numbers = (batch: Readonly<Record<string, tf.Tensor>>, name = 'x') => [
    ...(batch[name] as tf.Tensor).dataSync(),
  ];
  const batch = batchesOf(problem, { batchSize: 4, seed: 3 });
  expect(numbers(batch(5))).toEqual(numbers(batchesOf(problem, { batchSize: 4, seed: 3 })(5), 'y'));
  expect(numbers(batch(5))).not.toEqual(numbers(batchesOf(problem, { batchSize: 4, seed: 4 })(5)));
  const sample = numbers(sampleOf({ x: tf.range(0, 10) }, 10, 0, 1));
  expect(sample.sort((a, b) => a - b)).toEqual(Array.from({ length: 10 }, (_, i) => i));
  expect(() => batchesOf(problem, { batchSize: 11, seed: 0 })).toThrow(/do not fill a batch/);
});
