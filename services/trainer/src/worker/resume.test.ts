import '@tensorflow/tfjs';
import { Differentiation, Estimator, type Method, type OuterStep } from '@glocal/proto/glocal/v1/study';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Dataset, loadDataset } from '../data/registry.ts';
import { OuterLoop, type SavedLoop } from '../loop/outer-loop.ts';
import { decodeState, encodeState } from '../loop/state.ts';
import type { Model } from '../model/model.ts';
import { getModel } from '../model/registry.ts';
import type { CompleteStudy } from '../resource/complete-study.ts';
import { assemble } from './assemble.ts';
import { smallStudy } from './testing.ts';

let dataset: Dataset;
let model: Model;
beforeAll(async () => {
  await tf.setBackend('cpu');
  dataset = await loadDataset('fashion-mnist-10k', { log: () => {} });
  const shape = { inputShape: dataset.train.shape, classes: dataset.train.classes };
  model = await getModel('mlp', shape, undefined);
});

const open: Disposable[] = [];
afterEach(() => {
  for (const learner of open.splice(0)) learner[Symbol.dispose]();
});

/** A loop with a learner of its own, as each process makes one. */
function loopOf(study: CompleteStudy, saved?: SavedLoop): OuterLoop {
  const { space, learner, differentiation } = assemble(study, 1, dataset, model);
  open.push(learner);
  const dmd = { openWindow: () => expect.unreachable('no estimator of these asks for it') };
  const parts = { study, trial: 'studies/a/trials/0', space, learner, differentiation, dmd, progress() {} };
  return new OuterLoop(parts, saved);
}

/** An outer step, and the loop after it as another process would read it. */
async function next(loop: OuterLoop): Promise<{ outerStep: Omit<OuterStep, 'timing'>; saved: SavedLoop }> {
  const { timing: _timing, ...outerStep } = await loop.step();
  const { state, snapshot } = loop.save();
  return { outerStep, saved: { state: decodeState(encodeState(state)), snapshot } };
}

describe('a trial that is resumed at an outer-step boundary with a learner of its own', () => {
  it.each<[string, Partial<Method>]>([
    ['in forward mode', { estimator: Estimator.MEAN, differentiation: Differentiation.FORWARD }],
    ['with sensitivities that go on', { estimator: Estimator.LOCAL, sensitivityDiscount: 0.5 }],
    ['in reverse mode', { estimator: Estimator.MEAN, differentiation: Differentiation.REVERSE }],
    [
      'with sparse windows',
      { estimator: Estimator.MEAN, interval: 3, differentiation: Differentiation.FORWARD },
    ],
    ['from scratch for each update', { estimator: Estimator.GLOBAL, window: 6, trainings: 3 }],
  ])('follows the trajectory of one that never stopped, bit for bit: %s', async (_, method) => {
    const study = await smallStudy({ window: 2, sigma: 2, stride: 1, ...method }, { validationExamples: 10 });
    const whole = loopOf(study);
    const first = await next(whole);
    const resumed = loopOf(study, first.saved);
    while (!whole.done) {
      const expected = await next(whole);
      const actual = await next(resumed);
      expect(actual.outerStep).toEqual(expected.outerStep);
      expect(actual.saved.state).toEqual(expected.saved.state);
    }
    expect(resumed.done).toBe(true);
  });
});
