/** Hyperparameters that follow schedules, and vectors that are fixed, end to end. */

import {
  fixed,
  GlocalError,
  type Parameter,
  type ParameterMap,
  Schedule,
  type Study,
  scheduled,
  space,
  specFromYaml,
  specToYaml,
  vector,
} from '@glocal/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type QuickSpace, quickStudy, WINDOW } from '../support/studies.ts';
import { TestTrainer } from '../support/trainer.ts';

let trainer: TestTrainer;
beforeAll(async () => {
  trainer = await TestTrainer.start();
});
afterAll(() => trainer[Symbol.asyncDispose]());

const STEPS = 3 * WINDOW;

/** A quick study of FIXED in which nothing moves by hypergradients. */
const given = <P extends ParameterMap>(parameters: P) => ({
  ...quickStudy({ estimator: 'fixed' }),
  space: space(parameters),
});

/** What training led to, after each outer step. */
const figuresOf = async <P extends ParameterMap>(study: Study<P>) =>
  (await Array.fromAsync(study.outerSteps())).map(
    ({ step, values, trainLoss, validation, averagedValidation }) => ({
      step,
      values,
      trainLoss,
      validation,
      averagedValidation,
    }),
  );

const train = async <P extends ParameterMap>(parameters: P) => {
  const study = await trainer.client.studies.create(given(parameters));
  const { best } = await study.result();
  return { study, best, steps: await Array.fromAsync(study.outerSteps()) };
};

describe('a schedule', () => {
  it('of a cosine is told at the start of each outer step, and at its end', async () => {
    const { study, best, steps } = await train({ lr: scheduled({ cosine: { peak: 0.2, warmupSteps: 10 } }) });
    const at = (step: number) => 0.1 * (1 + Math.cos((Math.PI * (step - 10)) / (STEPS - 10)));
    const expected = [0.02, at(WINDOW), at(2 * WINDOW), 0];
    steps.forEach(({ values, nextValues }, i) => {
      expect(values.lr).toBeCloseTo(expected[i] ?? Number.NaN, 12);
      expect(nextValues.lr).toBeCloseTo(expected[i + 1] ?? Number.NaN, 12);
    });
    expect(best?.validation?.loss).toBeLessThan(2.3);
    const schedule = await study.schedule();
    expect(schedule.points.map(({ step }) => step)).toEqual([0, 1, 2, 3].map((i) => i * WINDOW));
  });

  it('of another trial trains bit for bit as that did, also once it has been deleted, and from what was exported', {
    timeout: 180_000,
  }, async () => {
    const quick = quickStudy({ estimator: 'local' });
    // Steps of forward mode are rounded otherwise than plain ones.
    const method = { ...quick.method, differentiation: 'reverse' } as const;
    const moving = await trainer.client.studies.create({ ...quick, method });
    const { best } = await moving.result();
    const expected = await figuresOf(moving);
    const trial = best?.name ?? '';
    const replay = given({
      lr: scheduled({ replay: { trial } }),
      momentum: scheduled({ replay: { trial } }),
      weightDecay: fixed(5e-4),
    });
    const replayed = await trainer.client.studies.create(replay);
    await moving.delete();
    const exported = Schedule.fromJson<QuickSpace>(JSON.stringify(best?.schedule.toJson()));
    const followed = await trainer.client.studies.create(given(exported.toScheduled()));
    expect(followed.space).toEqual(replayed.space);
    const both: readonly Study[] = [replayed, followed];
    for (const study of both) {
      expect((await study.result()).best?.test).toEqual(best?.test);
      expect(await figuresOf(study)).toEqual(expected);
    }
  });

  it('of each layer trains bit for bit as another trial did, from its record and from what was exported', {
    timeout: 180_000,
  }, async () => {
    const quick = quickStudy({ estimator: 'local' });
    const { momentum, weightDecay } = quick.space.parameters;
    const lr = vector({ per: 'layer', min: 1e-3, max: 1, init: 0.02, scale: 'log' });
    const moving = await trainer.client.studies.create({
      ...quick,
      space: space({ lr, momentum, weightDecay }),
      method: { ...quick.method, differentiation: 'reverse', overhead: 'exact' },
    });
    const { best } = await moving.result();
    const expected = await figuresOf(moving);
    // Of each layer its own.
    expect(new Set(expected.at(-1)?.values.lr).size).toBe(2);
    const trial = best?.name ?? '';
    const replay = given({
      lr: scheduled({ replay: { trial } }),
      momentum: scheduled({ replay: { trial } }),
      weightDecay: fixed(5e-4),
    });
    const replayed = await trainer.client.studies.create(replay);
    const exported = Schedule.fromJson(JSON.stringify(best?.schedule.toJson()));
    const written = specToYaml(given(exported.toScheduled()));
    const followed = await trainer.client.studies.create(specFromYaml(written));
    expect(followed.space).toEqual(replayed.space);
    const both: readonly Study[] = [replayed, followed];
    for (const study of both) {
      expect((await study.result()).best?.test).toEqual(best?.test);
      expect(await figuresOf(study)).toEqual(expected);
    }
  });

  it.each<[string, Parameter, RegExp]>([
    ['no trial', scheduled({ replay: { trial: 'x' } }), /space\.lr\.replay\.trial.*not of the form/],
    [
      'an unknown one',
      scheduled({ replay: { trial: 'studies/x/trials/0' } }),
      /space\.lr\.replay\.trial.*there is no/,
    ],
    [
      'points past the end',
      scheduled({ points: [{ step: STEPS, value: 1 }] }),
      /space\.lr\.points\[0\]\.step/,
    ],
    [
      'more values than there are layers',
      scheduled({ points: [{ step: 0, value: [1, 2, 3] }], per: 'layer' }),
      /space\.lr\.points\[0\]\.value: 3 values are not as many as the 2 components/,
    ],
  ])('of %s is refused by its field', async (_what, lr, message) => {
    const refused = await trainer.client.studies.validate(given({ lr })).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(GlocalError);
    const { fieldViolations } = refused as GlocalError;
    expect(fieldViolations.map(({ field, description }) => `${field}: ${description}`)).toEqual([
      expect.stringMatching(message),
    ]);
  });
});

describe('a vector', () => {
  it('is fixed at values of its own', async () => {
    const lr = [0.2, 0];
    const { steps } = await train({ lr: fixed(lr, { per: 'layer' }) });
    expect(steps.map(({ values }) => values.lr)).toEqual([lr, lr, lr]);
  });
});
