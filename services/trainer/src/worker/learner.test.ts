import '@tensorflow/tfjs';
import { Differentiation, Estimator, EvaluationPoint, Grouping } from '@glocal/proto/glocal/v1/study';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Dataset, loadDataset } from '../data/registry.ts';
import type { Model } from '../model/model.ts';
import { getModel } from '../model/registry.ts';
import type { CompleteStudy } from '../resource/complete-study.ts';
import { assemble } from './assemble.ts';
import { smallStudy } from './testing.ts';

const EXAMPLES = 10;

let dataset: Dataset;
let model: Model;
let study: CompleteStudy;
beforeAll(async () => {
  await tf.setBackend('cpu');
  dataset = await loadDataset('fashion-mnist-10k', { log: () => {} });
  model = await getModel(
    'mlp',
    { inputShape: dataset.train.shape, classes: dataset.train.classes },
    undefined,
  );
  study = await smallStudy(
    {
      estimator: Estimator.LOCAL,
      window: 3,
      evaluation: EvaluationPoint.LAST_ITERATE,
      differentiation: Differentiation.FORWARD,
    },
    { validationExamples: EXAMPLES },
  );
});

const open: Disposable[] = [];
afterEach(() => {
  for (const learner of open.splice(0)) learner[Symbol.dispose]();
});

function start(seed = 1) {
  const { learner, space } = assemble(study, seed, dataset, model);
  open.push(learner);
  learner.startWindow(space.initial);
  return { learner, point: space.initial };
}

type Learner = ReturnType<typeof start>['learner'];

/** Some steps, and all that can be seen of where they lead. */
function train(learner: Learner, steps = 2) {
  for (let i = 0; i < steps; i++) learner.step();
  return {
    hypergradient: learner.hypergradient(),
    trainLoss: learner.takeTrainLoss(),
    validation: learner.evaluate('validation', 'lastIterate'),
  };
}

describe('a learner', () => {
  it('takes weights, validation examples and data order from its seed', () => {
    const [once, twice, other] = [1, 1, 2].map((seed) => train(start(seed).learner));
    expect(twice).toEqual(once);
    expect(other?.trainLoss).not.toBe(once?.trainLoss);
    expect(other?.validation.loss).not.toBe(once?.validation.loss);
  });

  it('makes each step with the value that its schedule has there, also where it goes on', () => {
    const knots = [0.2, 0.1, 0, 0].map((value, step) => ({ step, value, values: [] }));
    const schedule = { $case: 'points' as const, value: { points: knots, grouping: Grouping.NONE } };
    const parameters = [{ name: 'lr', kind: { $case: 'scheduled' as const, value: { schedule } } }];
    const { learner, space } = assemble({ ...study, space: { parameters } }, 1, dataset, model);
    open.push(learner);
    const losses = () => {
      learner.step();
      return learner.evaluate('validation', 'lastIterate').loss;
    };
    learner.startWindow(space.initial);
    const first = losses();
    const snapshot = learner.snapshot();
    const [second, third, fourth] = [losses(), losses(), losses()];
    expect(second).not.toBe(first);
    expect([third, fourth]).toEqual([second, second]);
    learner.restore(snapshot);
    learner.startWindow(space.initial);
    expect([losses(), losses()]).toEqual([second, second]);
  });

  it('goes on from a snapshot as it did the first time, with the same data', () => {
    const { learner, point } = start();
    train(learner, 3);
    const snapshot = learner.snapshot();
    const goOn = () => {
      learner.startWindow(point);
      return train(learner, 3);
    };
    const first = goOn();
    learner.restore(snapshot);
    expect(goOn()).toEqual(first);
  });

  it('can go on from a snapshot of another learner of the same seed', () => {
    const [one, other] = [start(), start()];
    train(one.learner, 3);
    other.learner.restore(one.learner.snapshot());
    for (const { learner, point } of [one, other]) learner.startWindow(point);
    expect(train(other.learner)).toEqual(train(one.learner));
  });

  it('evaluates all validation examples and the whole test part, and changes nothing by that', () => {
    const { learner } = start();
    train(learner);
    const before = learner.evaluate('validation', 'lastIterate');
    expect(before.examples).toBe(EXAMPLES);
    expect(learner.evaluate('test', 'lastIterate').examples).toBe(dataset.test.count);
    expect(learner.evaluate('validation', 'lastIterate')).toEqual(before);
  });

  it('leaves nothing on the backend', () => {
    const before = tf.memory().numTensors;
    {
      const { learner } = assemble(study, 1, dataset, model);
      using _ = learner;
      learner.startWindow(Float64Array.of(Math.log(0.1)));
      train(learner);
      learner.restore(learner.snapshot());
    }
    expect(tf.memory().numTensors).toBe(before);
  });
});
