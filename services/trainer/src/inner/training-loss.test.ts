import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { initialNetwork } from './reweighting.ts';
import { sgd } from './sgd.ts';
import {
  CLASS_SHARES,
  hostExamples,
  onBackend,
  perceptron,
  plainLoss,
  type ReferenceValues,
  trainingLoss,
} from './testing.ts';
import { lossHyperparameters } from './training-loss.ts';
import { TrainingRun } from './training-run.ts';

beforeAll(() => tf.setBackend('cpu'));

const reweighting = { hidden: 3, detached: true };
const network = [...initialNetwork(reweighting, 2)];
const batch = hostExamples(6, 1);
const theta = perceptron.initialise(4);

describe('the training loss agrees with double precision', () => {
  it.each<[string, ReferenceValues]>([
    ['plain', {}],
    ['labelSmoothing', { labelSmoothing: [0.2] }],
    ['classWeights', { classWeights: [0.5, 2, 0] }],
    ['relativeClassWeights', { relativeClassWeights: [0.5, 2, 1] }],
    ['both kinds of class weights', { classWeights: [0.5, 2, 0], relativeClassWeights: [3, 2, 1] }],
    ['l2', { l2: [0.5] }],
    ['l2 by layer', { l2: [0.5, 2] }],
    ['everything', { labelSmoothing: [0.2], classWeights: [0.5, 2, 0], l2: [0.5, 2] }],
  ])('%s', (_what, values) => {
    for (const meta of [undefined, reweighting]) {
      const given = { ...values, ...(meta && { reweighting: network }) };
      const run = new TrainingRun({
        model: perceptron,
        optimizer: sgd,
        weights: theta,
        learned: [],
        loss: { classShares: CLASS_SHARES, ...(meta && { reweighting: meta }) },
      });
      run.step(onBackend(batch), { lr: [0.1], ...given }, []);
      expect(run.takeTrainLoss()).toBeCloseTo(trainingLoss(theta, batch, given, meta).loss, 5);
      run.dispose();
    }
  });
});

it('does not change with the common scale of relative class weights, and has equal shares unless told otherwise', () => {
  const loss = (relativeClassWeights: readonly number[], classShares?: readonly number[]) => {
    const run = new TrainingRun({
      ...{ model: perceptron, optimizer: sgd, weights: theta, learned: [] },
      loss: { classShares },
    });
    run.step(onBackend(batch), { lr: [0.1], relativeClassWeights }, []);
    const found = run.takeTrainLoss();
    run.dispose();
    return found;
  };
  expect(loss([50, 200, 100], CLASS_SHARES)).toBeCloseTo(loss([0.5, 2, 1], CLASS_SHARES), 5);
  expect(loss([0.5, 2, 1])).toBeCloseTo(loss([0.5, 2, 1], [1 / 3, 1 / 3, 1 / 3]), 5);
});

it('figures are of the plain cross-entropy, whatever the training loss has', () => {
  const run = new TrainingRun({ model: perceptron, optimizer: sgd, weights: theta, learned: [] });
  run.step(onBackend(batch), { lr: [0], labelSmoothing: [0.2], classWeights: [5, 5, 5], l2: [1] }, []);
  expect(run.evaluate(onBackend(batch)).loss).toBeCloseTo(plainLoss(theta, batch), 5);
  run.dispose();
});

it('the meta-module is among the hyperparameters when there is one', () => {
  const names = (infos: readonly { readonly name: string }[]) => infos.map(({ name }) => name);
  expect(names(lossHyperparameters({}))).toEqual([
    ...['labelSmoothing', 'classWeights', 'relativeClassWeights', 'l2'],
  ]);
  expect(names(lossHyperparameters({ reweighting }))).toContain('reweighting');
});
