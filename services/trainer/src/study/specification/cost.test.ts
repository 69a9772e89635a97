import { DmdOptions } from '@glocal/proto/glocal/v1/dmd';
import {
  Estimator,
  FixedParameter,
  FloatParameter,
  Grouping,
  Method,
  OuterOptimizer,
  OuterSchedule,
  Problem,
  RunMode,
  Study,
} from '@glocal/proto/glocal/v1/study';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countWindows } from '../../resource/windows.ts';
import type { Catalogue } from '../catalogue.ts';
import { completeStudy } from '../specification.ts';

const catalogue: Catalogue = {
  brokenDatasets: new Map(),
  classSizes: new Map(),
  datasets: [10_000, 60_000].map((trainExamples) => ({
    ...{ id: `images-${trainExamples}`, description: '', trainExamples, testExamples: 100 },
    ...{ classes: 10, inputShape: [28, 28, 1] },
  })),
  models: [
    {
      info: { id: 'net', description: '', parameters: 10 },
      rejects: () => undefined,
      size: () => ({ layers: 4, weights: 1_000 }),
    },
  ],
  optimizers: [
    { id: 'sgd', averages: false, names: ['lr', 'momentum', 'weightDecay'] },
    { id: 'adaptive', averages: false, names: ['lr', 'momentum', 'weightDecay', 'epsilon'] },
    { id: 'averaging', averages: true, names: ['lr', 'momentum', 'weightDecay'] },
  ].map(({ id, averages, names }) => ({
    ...{ id, description: '', averages },
    hyperparameters: names.map((name) => ({
      ...{ name, description: '', min: 0, max: 10, defaultValue: 0 },
      setting: false,
      groupings: [Grouping.NONE, Grouping.LAYER],
    })),
  })),
  lossHyperparameters: [
    {
      ...{ name: 'classWeights', description: '', min: 0, max: 1000, defaultValue: 1 },
      ...{ setting: false, groupings: [Grouping.CLASS] },
    },
  ],
};
const limits = { maxSteps: 1_000_000, maxTrials: 64, maxWindowRows: 512, maxComponents: 2_000 };

const float = (name: string) => ({
  name,
  kind: { $case: 'float' as const, value: FloatParameter.fromPartial({ min: 0, max: 1, initial: 0.1 }) },
});
const space = { parameters: ['lr', 'momentum', 'weightDecay'].map(float) };
const problem = Problem.fromPartial({ dataset: 'images-10000', model: 'net', optimizer: 'sgd' });

/** @param steps T. */
const study = (method: Partial<Method>, steps = 4_000, changes: Partial<Study> = {}): Study =>
  Study.fromPartial({
    ...{ space, problem, training: { steps } },
    method: { ...Method.create({ estimator: Estimator.GLOCAL }), ...method },
    ...changes,
  });
/** A method that says what windows are, so that nothing is wished. */
const said = { window: 50 };
const wish = (overhead: number): Pick<Method, 'cost'> => ({ cost: { $case: 'overhead', value: overhead } });
const exact = (value = true): Pick<Method, 'cost'> => ({ cost: { $case: 'exact', value } });
const violationsOf = (asked: Study) => completeStudy(asked, catalogue, limits).violations;
function completed(asked: Study): Study & { readonly method: Method } {
  const { study: complete, violations } = completeStudy(asked, catalogue, limits);
  expect(violations).toEqual([]);
  return complete as Study & { readonly method: Method };
}
const again = ({ space, problem, training, method, sampling }: Study): Study =>
  Study.fromPartial({ space, problem, training, method, sampling } as Study);

describe('a study without a wished cost', () => {
  it('has the method that it had, and says what that will cost', () => {
    const { predictedCost, method } = completed(study(said));
    expect(method).toMatchObject({
      stride: 1,
      sigma: 20,
      interval: 50,
      validationSample: 0,
      cost: undefined,
    });
    expect(method.tangentExamples).toBeUndefined();
    expect(predictedCost).toBeGreaterThan(4);
    expect(completed(study({ ...said, stride: 3 })).predictedCost).toBeLessThan(predictedCost);
  });

  it('costs a plain run with FIXED, and what its client knows with EXTERNAL', () => {
    expect(completed(study({ estimator: Estimator.FIXED })).predictedCost).toBe(1);
    const own = { mode: RunMode.EXTERNAL, problem: undefined, space: { parameters: [float('x')] } };
    expect(completed(study({}, 4_000, own)).predictedCost).toBe(0);
  });

  it('costs what its costliest trial does', () => {
    const batches = {
      name: 'batch_size',
      kind: { $case: 'discrete' as const, value: { values: [32, 128] } },
    };
    const choices = { space: { parameters: [...space.parameters, batches] } };
    const small = study(said, 4_000, { problem: { ...problem, batchSize: 32 } });
    const { predictedCost } = completed(study(said, 4_000, choices));
    expect(predictedCost).toBe(
      Math.max(completed(small).predictedCost, completed(study(said)).predictedCost),
    );
  });
});

describe('a wished cost', () => {
  it('is kept to by every study that is not refused, and one that is refused is told what it could have', () => {
    const methods = fc.record({
      estimator: fc.constantFrom(Estimator.LOCAL, Estimator.MEAN, Estimator.GLOCAL),
      window: fc.constantFrom(0, 25, 50),
      stride: fc.constantFrom(0, 0, 1, 2),
      interval: fc.constantFrom(0, 0, 0, 100, 400),
      warmupWindows: fc.constantFrom(0, 0, 1, 5),
      warmupWindowSteps: fc.constantFrom(0, 0, 20, 25),
      tangentExamples: fc.constantFrom(undefined, undefined, 8, 128),
      validationSample: fc.constantFrom(0, 0, 200),
    });
    const overheads = fc.oneof(
      fc.double({ min: 1, max: 1.3, noNaN: true }),
      fc.double({ min: 1, max: 9, noNaN: true }),
    );
    fc.assert(
      fc.property(methods, overheads, fc.integer({ min: 20, max: 200 }), (method, overhead, windows) => {
        const asked = (value: number) => study({ ...method, ...wish(value) }, 50 * windows);
        const [refused] = violationsOf(asked(overhead));
        const [, least] = refused?.description.match(/least that this study can cost, ([\d.]+)/) ?? [];
        if (refused !== undefined) expect(refused.field).toBe('method.overhead');
        const value = least === undefined ? overhead : Number(least);
        const complete = completed(asked(value));
        expect(complete.predictedCost).toBeLessThanOrEqual(value + 1e-6);
        for (const field of [
          'stride',
          'interval',
          'warmupWindows',
          'warmupWindowSteps',
          'tangentExamples',
          'validationSample',
        ] as const) {
          if (method[field]) expect(complete.method[field]).toBe(method[field]);
        }
        // As it came it may be sent again.
        expect(completed(again(complete))).toEqual(complete);
      }),
    );
  });

  it('takes windows in a row where it pays for them, and with as much of the batch as it pays for', () => {
    const rich = completed(study(wish(10))).method;
    expect(rich).toMatchObject({ interval: 50, stride: 3, sigma: 7, validationSample: 500 });
    expect(rich.tangentExamples).toBeUndefined();
    const { predictedCost } = completed(study({ stride: 3, tangentExamples: 32 }));
    expect(completed(study(wish(predictedCost))).method).toMatchObject({ interval: 50, tangentExamples: 32 });
  });

  it('takes sparse ones on an eighth of the batch otherwise, short ones in a row at first, as near to it as they come', () => {
    const { method, predictedCost } = completed(study(wish(1.3)));
    expect(method).toMatchObject({ stride: 3, sigma: 7, tangentExamples: 16, cost: wish(1.3).cost });
    expect(method).toMatchObject({ window: 50, warmupWindowSteps: 25 });
    expect(method.interval).toBeGreaterThan(50);
    expect(method.warmupWindows).toBeGreaterThan(4);
    expect(predictedCost).toBeGreaterThan(1.25);
    expect(predictedCost).toBeLessThanOrEqual(1.3);
    expect(completed(study(wish(1.3), 16_000)).method.warmupWindows).toBe(12);
  });

  it.each([
    ['sgd', 0.95],
    ['adaptive', 0.9],
  ])(
    'averages the weights of %s over few steps beside its windows, unless that is set',
    (optimizer, averaging) => {
      const changes = { problem: { ...problem, optimizer } };
      const averagingOf = (method: Partial<Method>) =>
        completed(study(method, 4_000, changes)).method.averaging;
      expect(averagingOf(wish(1.3))).toBe(averaging);
      expect(averagingOf({})).toBe(averaging);
      expect(averagingOf({ ...wish(1.3), averaging: 0.5 })).toBe(0.5);
      expect(averagingOf(said)).toBe(0.98);
    },
  );

  it('spreads short windows over the training, with half the outer rate, where weights of classes or examples are moved', () => {
    const weights = {
      name: 'classWeights',
      kind: { $case: 'float' as const, value: FloatParameter.fromPartial({ min: 0.1, max: 10, initial: 1 }) },
    };
    const network = {
      name: 'reweighting',
      kind: { $case: 'network' as const, value: { hiddenUnits: 4, detached: false } },
    };
    for (const parameter of [weights, network]) {
      const changes = { space: { parameters: [...space.parameters, parameter] } };
      for (const method of [{}, wish(1.5)]) {
        const complete = completed(study(method, 4_000, changes));
        const { window, warmupWindows, warmupWindowSteps, outer } = complete.method;
        expect({ window, warmupWindows, warmupWindowSteps }).toEqual({
          ...{ window: 25, warmupWindows: 1, warmupWindowSteps: 25 },
        });
        expect(outer?.rate).toBe(0.3);
        expect(countWindows(complete.method, 4_000)).toBeGreaterThan(5);
        expect(completed(again(complete))).toEqual(complete);
      }
      const set = { ...wish(1.5), window: 50, warmupWindows: 4, warmupWindowSteps: 30, outer: { rate: 0.7 } };
      const { method } = completed(study(set as Partial<Method>, 4_000, changes));
      expect(method).toMatchObject({ ...set, outer: { rate: 0.7 } });
    }
    const held = {
      name: 'classWeights',
      kind: { $case: 'fixed' as const, value: FixedParameter.fromPartial({ value: 2 }) },
    };
    const still = completed(study(wish(1.5), 4_000, { space: { parameters: [...space.parameters, held] } }));
    expect(still.method.warmupWindows).toBeGreaterThan(1);
    expect(still.method.outer?.rate).toBe(0.6);
  });

  it('has nothing to say about an average that the optimizer keeps', () => {
    const asked = study(wish(1.3), 4_000, { problem: { ...problem, optimizer: 'averaging' } });
    expect(completed(again(completed(asked))).method.averaging).toBe(0.98);
  });

  it('draws a sample of a large validation part, and counts the smallest batch and the costliest trial where trials differ', () => {
    const choose = (name: string, values: number[]) => ({
      name,
      kind: { $case: 'discrete' as const, value: { values } },
    });
    const parameters = [...space.parameters, choose('batch_size', [64, 128])];
    const large = { ...problem, dataset: 'images-60000' };
    const complete = completed(study(wish(1.3), 4_000, { space: { parameters }, problem: large }));
    expect(complete.method).toMatchObject({ tangentExamples: 8, validationSample: 500 });
    expect(complete.predictedCost).toBeLessThanOrEqual(1.3);
  });

  it('leaves rows that are set, or have no room, as they are', () => {
    expect(completed(study({ ...wish(1.5), sigma: 20 })).method).toMatchObject({ stride: 1, sigma: 20 });
    const short = { ...wish(1.5), estimator: Estimator.MEAN, window: 10, sigma: 5 };
    expect(completed(study(short)).method).toMatchObject({ stride: 1, sigma: 5 });
  });

  it('changes nothing with FIXED', () => {
    const { method, predictedCost } = completed(study({ ...wish(1), estimator: Estimator.FIXED }));
    expect(method).toMatchObject({ interval: 50, validationSample: 0 });
    expect(predictedCost).toBe(1);
  });

  it.each([
    [wish(0.9), 'method.overhead', /0\.9 is not a number of plain runs of 1 or more/],
    [wish(Number.NaN), 'method.overhead', /NaN is not/],
    [wish(Number.POSITIVE_INFINITY), 'method.overhead', /Infinity is not/],
    [wish(1), 'method.overhead', /1 is below the least that this study can cost, 1\.0\d+$/],
    [{ ...wish(1.1), interval: 50 }, 'method.overhead', /1\.1 is below the least that this study can cost/],
    [{ ...wish(3), estimator: Estimator.GLOBAL }, 'method.overhead', /GLOBAL/],
    [
      { ...wish(1.2), sensitivityDiscount: 0.5 },
      'method.overhead',
      /1\.2 is below the least that this study can cost/,
    ],
    [exact(false), 'method.exact', /is false; leave it out/],
    [{ ...exact(), interval: 100 }, 'method.interval', /windows in a row/],
    [{ ...exact(), warmupWindowSteps: 25 }, 'method.warmup_window_steps', /windows of one length/],
    [{ ...exact(), stride: 3 }, 'method.stride', /every hypergradient/],
    [{ ...exact(), validationSample: 500 }, 'method.validation_sample', /all validation examples/],
    [{ ...exact(), tangentExamples: 32 }, 'method.tangent_examples', /the whole batch/],
  ])('is refused where it is none, %o', (method, field, description) => {
    expect(violationsOf(study(method))).toEqual([{ field, description: expect.stringMatching(description) }]);
  });

  it.each([wish(1.3), exact()])('is for studies that the service trains', (method) => {
    const own = { mode: RunMode.EXTERNAL, problem: undefined, space: { parameters: [float('x')] } };
    expect(violationsOf(study(method, 4_000, own)).map(({ field }) => field)).toEqual([
      `method.${method.cost?.$case}`,
    ]);
  });
});

describe('a study that says nothing of its cost', () => {
  it('is wished to cost 1.35 plain runs, and says what was chosen', () => {
    const { method, predictedCost } = completed(study({}));
    const { method: wished, predictedCost: wishedCost } = completed(study(wish(1.35)));
    expect({ ...wished, cost: undefined }).toEqual(method);
    expect(predictedCost).toBe(wishedCost);
    expect(completed(again(completed(study({}))))).toEqual(completed(study({})));
  });

  it('has twelve windows at least, which cost more where it is short, and all in a row where there is room for no more', () => {
    const short = completed(study({}, 1_000));
    const { method } = short;
    expect(short.predictedCost).toBeGreaterThan(1.3);
    expect(countWindows(method, 1_000)).toBe(12);
    expect(method.interval).toBeGreaterThan(50);
    expect(completed(study({}, 600)).method).toMatchObject({ interval: 50, warmupWindowSteps: 50 });
    expect(completed(study({}, 50)).method).toMatchObject({ interval: 50 });
  });

  it.each([
    { sigma: 20 },
    { stride: 1 },
    { window: 50 },
    { interval: 50 },
    { warmupWindows: 1 },
    { tangentExamples: 128 },
    { validationSample: 100 },
    { sensitivityDiscount: 0.5 },
    { reverseSteps: 50 },
    { dmd: DmdOptions.create({ stride: 1 }) },
    { estimator: Estimator.FIXED },
  ])('has windows in a row where it says %o', (method) => {
    expect(completed(study(method)).method).toMatchObject({ interval: 50, stride: 1 });
  });
});

describe('an exact study', () => {
  it('has an outer optimizer as published', () => {
    const outer = {
      beta1: 0.9,
      beta2: 0.999,
      schedule: OuterSchedule.CONSTANT,
      maxLossRise: 0,
      normalize: false,
    };
    expect(completed(study(exact())).method.outer).toMatchObject(outer);
    const ours = {
      beta1: 0.7,
      beta2: 0.9,
      schedule: OuterSchedule.COSINE,
      maxLossRise: 0.3,
      normalize: true,
    };
    expect(completed(study({})).method.outer).toMatchObject(ours);
    const kept = study({ outer: OuterOptimizer.create({ maxLossRise: 0, normalize: false }) });
    expect(completed(kept).method.outer).toMatchObject({ maxLossRise: 0, normalize: false });
  });

  it('is what a study without a wish is, also where its fields say so themselves', () => {
    const { method, predictedCost } = completed(study(exact()));
    const plain = completed(study(said));
    expect({ ...method, cost: undefined, outer: undefined }).toEqual({ ...plain.method, outer: undefined });
    expect(predictedCost).toBe(plain.predictedCost);
    const again = { ...exact(), interval: 50, stride: 1, tangentExamples: 128 };
    expect(completed(study(again)).method.interval).toBe(50);
  });
});
