import { DmdOptions, Variant } from '@glocal/proto/glocal/v1/dmd';
import {
  Differentiation,
  Estimator,
  EvaluationPoint,
  FixedParameter,
  Grouping,
  Method,
  OuterOptimizer,
  type OuterSchedule,
  Problem,
  RunMode,
  Scale,
  Study,
} from '@glocal/proto/glocal/v1/study';
import { HyperparameterInfo } from '@glocal/proto/glocal/v1/study_service';
import { describe, expect, it } from 'vitest';
import { DataError } from '../data/errors.ts';
import { scheduleFree } from '../inner/schedule-free.ts';
import type { CompleteStudy } from '../resource/complete-study.ts';
import { type Catalogue, optimizerInfo } from './catalogue.ts';
import { completeStudy, type StudyLimits } from './specification.ts';

const info = (own: Partial<HyperparameterInfo>): HyperparameterInfo => ({
  ...HyperparameterInfo.create({ max: 1, groupings: [Grouping.NONE] }),
  ...own,
});

const catalogue: Catalogue = {
  brokenDatasets: new Map([['torn', new DataError('VALUE', 'torn.csv, line 3: "x" is not a number')]]),
  classSizes: new Map([
    ['tiny', Array(10).fill(100)],
    ['wide', Array(10).fill(100)],
    ['table', [910, ...Array(9).fill(10)]],
  ]),
  datasets: [
    {
      id: 'tiny',
      description: '',
      trainExamples: 1000,
      testExamples: 100,
      classes: 10,
      inputShape: [28, 28, 1],
    },
    {
      id: 'table',
      description: '',
      trainExamples: 1000,
      testExamples: 100,
      classes: 10,
      inputShape: [28],
    },
    {
      id: 'wide',
      description: '',
      trainExamples: 1000,
      testExamples: 100,
      classes: 10,
      inputShape: [32, 32, 3],
    },
  ],
  models: [
    {
      info: { id: 'net', description: '', parameters: 10 },
      rejects: ({ inputShape }) => (inputShape[0] === 28 ? undefined : 'it takes 28x28x1'),
      size: () => ({ layers: 4, weights: 1000 }),
    },
  ],
  optimizers: [
    {
      id: 'sgd',
      description: '',
      hyperparameters: [
        info({ name: 'lr', max: 10, groupings: [Grouping.NONE, Grouping.LAYER] }),
        info({ name: 'momentum', defaultValue: 0 }),
      ],
      averages: false,
    },
    {
      id: 'adam',
      description: '',
      hyperparameters: [info({ name: 'lr', max: 2 }), info({ name: 'beta1', defaultValue: 0.9 })],
      averages: false,
    },
    optimizerInfo(scheduleFree),
  ],
  lossHyperparameters: [
    info({ name: 'classWeights', max: 100, defaultValue: 1, groupings: [Grouping.CLASS] }),
  ],
};
const limits: StudyLimits = { maxSteps: 1_000_000, maxTrials: 4, maxWindowRows: 512, maxComponents: 2_000 };

const float = (
  name: string,
  min: number,
  max: number,
  initial: number,
  scale: Scale = Scale.UNSPECIFIED,
  grouping: Grouping = Grouping.UNSPECIFIED,
) => ({
  name,
  kind: { $case: 'float' as const, value: { min, max, initial, scale, grouping, initials: [], size: 0 } },
});
const network = (name: string, hiddenUnits: number, detached = false) => ({
  name,
  kind: { $case: 'network' as const, value: { hiddenUnits, detached } },
});
const fixed = (name: string, value: number) => ({
  name,
  kind: { $case: 'fixed' as const, value: FixedParameter.create({ value, grouping: Grouping.NONE }) },
});

/** A study without a fault, with some parts replaced. */
const study = (changes: Partial<Study> = {}): Study =>
  Study.fromPartial({
    displayName: 'good',
    space: { parameters: [float('lr', 1e-4, 1, 0.01)] },
    problem: { dataset: 'tiny', model: 'net', optimizer: 'sgd' },
    training: { steps: 600 },
    method: { estimator: Estimator.GLOCAL },
    ...changes,
  });
const problems = (changes: Partial<Study>): [string, string][] =>
  completeStudy(study(changes), catalogue, limits).violations.map(({ field, description }) => [
    field,
    description,
  ]);
const completed = (changes: Partial<Study> = {}): CompleteStudy => {
  const { study: complete, violations } = completeStudy(study(changes), catalogue, limits);
  expect(violations).toEqual([]);
  return complete as CompleteStudy;
};
const space = (...parameters: NonNullable<Study['space']>['parameters']) => ({ space: { parameters } });
const scheduleFreeProblem = {
  problem: Problem.fromPartial({ dataset: 'tiny', model: 'net', optimizer: 'schedule-free' }),
};
const method = (changes: Partial<Method>) => ({
  method: { ...Method.create({ estimator: Estimator.GLOCAL }), ...changes },
});

const driven = (seconds: bigint, nanos = 0) => ({
  mode: RunMode.DRIVEN,
  decisionTimeout: { seconds, nanos },
});

describe('completeStudy', () => {
  it('fills every default in', () => {
    const complete = completed();
    expect(complete.problem).toMatchObject({ batchSize: 128, validationExamples: 100 });
    expect(complete.training).toEqual({ steps: 600, seeds: [0] });
    expect(complete.method).toMatchObject({
      window: 50,
      sigma: 7,
      stride: 3,
      evaluation: EvaluationPoint.AVERAGED,
      averaging: 0.95,
      differentiation: Differentiation.AUTO,
      reverseSteps: 50,
      dmd: {
        variant: Variant.AFFINE,
        delays: 2,
        svdRank: 3,
        tolerance: 0.1,
        clip: 0.9,
        ridge: 0.001,
        lastShare: 0,
        stride: 3,
      },
      outer: { rate: 0.6, beta1: 0.7, beta2: 0.9, epsilon: 0.01, maxLossRise: 0.3, normalize: true },
    });
    expect(complete.space.parameters).toEqual([
      float('lr', 1e-4, 1, 0.01, Scale.LOGIT, Grouping.NONE),
      fixed('momentum', 0),
    ]);
  });

  it('is MANAGED unless it says otherwise, and waits ten minutes for decisions when it is DRIVEN', () => {
    expect(completed()).toMatchObject({ mode: RunMode.MANAGED, decisionTimeout: undefined });
    const timeout = (seconds: bigint, nanos = 0) =>
      completed({ mode: RunMode.DRIVEN, decisionTimeout: { seconds, nanos } }).decisionTimeout;
    expect(completed({ mode: RunMode.DRIVEN }).decisionTimeout).toEqual({ seconds: 600n, nanos: 0 });
    expect(timeout(0n)).toEqual({ seconds: 600n, nanos: 0 });
    expect(timeout(0n, 5_000_000)).toEqual({ seconds: 0n, nanos: 5_000_000 });
    expect(timeout(30n * 86_400n)).toEqual({ seconds: 2_592_000n, nanos: 0 });
  });

  it.each([
    [{ mode: 17 as RunMode }, 'mode', /17 is unknown; one of .*DRIVEN/],
    [{ decisionTimeout: { seconds: 5n, nanos: 0 } }, 'decision_timeout', /is for DRIVEN only/],
    [driven(-1n), 'decision_timeout', /-1 s is not a time above 0 of at most 30 days/],
    [driven(2_592_000n, 1), 'decision_timeout', /at most 30 days/],
    [driven(2n, -5), 'decision_timeout', /at most 30 days/],
    [driven(10n ** 15n), 'decision_timeout', /at most 30 days/],
  ])('refuses a mode and a time to decide that make no sense: %o', (changes, field, description) => {
    expect(problems(changes)).toEqual([[field, expect.stringMatching(description)]]);
  });

  it('has the defaults of the variant and of the stride', () => {
    const dmd = (variant: Variant, stride: number) =>
      completed(method({ stride, dmd: DmdOptions.fromPartial({ variant }) })).method;
    expect(dmd(Variant.HANKEL, 1)).toMatchObject({ sigma: 20, dmd: { delays: 10, svdRank: -1 } });
    expect(dmd(Variant.AFFINE, 3)).toMatchObject({
      sigma: 7,
      dmd: { delays: 2, svdRank: 3, ridge: 0.001, stride: 3 },
    });
  });

  it('fills in what vectors and networks leave open', () => {
    const complete = completed(
      space(
        float('lr', 0, 1, 0.1, Scale.LOGIT, Grouping.LAYER),
        float('classWeights', 0, 2, 1),
        network('reweighting', 0),
      ),
    );
    expect(complete.space.parameters).toEqual([
      float('lr', 0, 1, 0.1, Scale.LOGIT, Grouping.LAYER),
      float('classWeights', 0, 2, 1, Scale.LOGIT, Grouping.CLASS),
      network('reweighting', 128),
      fixed('momentum', 0),
    ]);
  });

  it('takes the whole training as the window of GLOBAL, and divides the rate by its trainings', () => {
    const complete = completed(method({ estimator: Estimator.GLOBAL, trainings: 160 }));
    expect(complete.method).toMatchObject({ window: 600, trainings: 160, outer: { rate: 0.3 } });
  });

  it('has windows side by side unless it says otherwise', () => {
    expect(completed().method).toMatchObject({ window: 50, interval: 50, warmupWindows: 1 });
    const global = completed(method({ estimator: Estimator.GLOBAL })).method;
    expect(global).toMatchObject({ window: 600, interval: 600, warmupWindows: 1 });
  });

  it('takes any number of steps from a window on where windows are sparse, and a rate for the updates', () => {
    const sparse = (steps: number, warmupWindows: number) =>
      completed({ ...method({ interval: 400, warmupWindows }), training: { steps, seeds: [] } }).method;
    // 160 windows in a row would halve the rate: there are 12 and 19 after them.
    expect(sparse(8_210, 12)).toMatchObject({ interval: 400, warmupWindows: 12, outer: { rate: 0.6 } });
    expect(sparse(8_210, 160)).toMatchObject({ outer: { rate: 0.3 } });
  });

  it('has first windows as long as the others unless it says otherwise, and then any number of steps', () => {
    expect(completed().method).toMatchObject({ warmupWindowSteps: 50 });
    const short = method({ warmupWindows: 4, warmupWindowSteps: 25 });
    const { method: complete } = completed({ ...short, training: { steps: 610, seeds: [] } });
    expect(complete).toMatchObject({ window: 50, interval: 50, warmupWindowSteps: 25 });
  });

  it('is not changed by being completed again', () => {
    const once = completed();
    expect(completeStudy(once, catalogue, limits)).toEqual({ study: once, violations: [] });
  });

  it.each<[string, Partial<Study>, string, RegExp]>([
    ['bounds reversed', space(float('lr', 1, 0.1, 0.5)), 'space.lr.min', /1 is not below max \(0\.1\)/],
    ['initial above', space(float('lr', 0.1, 1, 2)), 'space.lr.initial', /2 is above max \(1\)/],
    ['initial below', space(float('lr', 0.1, 1, 0.01)), 'space.lr.initial', /0\.01 is below min \(0\.1\)/],
    ['initial on a logit bound', space(float('lr', 0, 1, 0)), 'space.lr.initial', /starts strictly between/],
    ['log of zero', space(float('lr', 0, 1, 0.1, Scale.LOG)), 'space.lr.min', /not positive/],
    ['not a number', space(float('lr', 0, Number.NaN, 0.1)), 'space.lr.max', /NaN is not finite/],
    [
      'outside the domain',
      space(float('lr', 0, 20, 0.1)),
      'space.lr.max',
      /outside the domain of lr, \[0, 10\]/,
    ],
    ['fixed outside', space(float('lr', 0, 1, 0.1), fixed('momentum', 2)), 'space.momentum.value', /outside/],
    [
      'unknown name',
      space(float('lr', 0, 1, 0.1), fixed('speed', 1)),
      'space.speed',
      /neither of sgd \(lr, momentum\) nor of the loss \(classWeights, reweighting\)/,
    ],
    ['name missing', space(float('lr', 0, 1, 0.1), fixed('', 1)), 'space.parameters[1]', /has no name/],
    ['listed twice', space(float('lr', 0, 1, 0.1), fixed('lr', 1)), 'space.lr', /listed twice/],
    [
      'neither kind',
      space(float('lr', 0, 1, 0.1), { name: 'momentum', kind: undefined }),
      'space.momentum',
      /has no kind: it is neither float nor fixed/,
    ],
    ['required one missing', space(float('momentum', 0, 1, 0.1)), 'space.lr', /sgd needs it/],
    ['nothing differentiable', space(fixed('lr', 0.1)), 'space', /nothing that hypergradients could move/],
    [
      'sigma below delays + 1',
      method({ sigma: 8, dmd: DmdOptions.fromPartial({ variant: Variant.HANKEL }) }),
      'method.sigma',
      /delays = 10; at least 11, 20 is a good start/,
    ],
    [
      'sigma above window',
      method({ window: 15, sigma: 20 }),
      'method.sigma',
      /do not fit into 15.*at most 15/,
    ],
    [
      'sigma too far apart',
      method({ window: 50, sigma: 20, stride: 3 }),
      'method.sigma',
      /20 hypergradients taken at every 3rd step do not fit into 50 inner steps; at most 17/,
    ],
    ['negative stride', method({ stride: -1 }), 'method.stride', /-1 is not a positive/],
    [
      'averaging beside an average',
      { ...scheduleFreeProblem, ...method({ averaging: 0.9 }) },
      'method.averaging',
      /0\.9 has no use with schedule-free/,
    ],
    [
      'a setting that is to move',
      { ...scheduleFreeProblem, ...space(float('lr', 0, 1, 0.1), float('power', 0, 3, 1)) },
      'space.power',
      /keeps one value.*make it fixed, int or discrete/,
    ],
    [
      'a setting outside its domain',
      { ...scheduleFreeProblem, ...space(float('lr', 0, 1, 0.1), fixed('power', -1)) },
      'space.power.value',
      /-1 is outside the domain of power, \[0, 10\]/,
    ],
    ['averaging of 1', method({ averaging: 1 }), 'method.averaging', /not in \[0, 1\)/],
    [
      'discount above 1',
      method({ sensitivityDiscount: 1.5 }),
      'method.sensitivity_discount',
      /not in \[0, 1\]/,
    ],
    [
      'a discount in reverse',
      method({ sensitivityDiscount: 0.5, differentiation: Differentiation.REVERSE }),
      'method.sensitivity_discount',
      /use FORWARD/,
    ],
    [
      'GLOBAL in reverse',
      method({ estimator: Estimator.GLOBAL, differentiation: Differentiation.REVERSE }),
      'method.differentiation',
      /use FORWARD/,
    ],
    [
      'a window of GLOBAL',
      method({ estimator: Estimator.GLOBAL, window: 50 }),
      'method.window',
      /leave it out/,
    ],
    ['windows that overlap', method({ interval: 49 }), 'method.interval', /49 is below method.window = 50/],
    [
      'windows too far apart',
      method({ interval: 601 }),
      'method.interval',
      /601 is above training.steps = 600/,
    ],
    [
      'plain steps that would keep sensitivities',
      method({ interval: 100, sensitivityDiscount: 0.5 }),
      'method.interval',
      /100 leaves plain steps.*sensitivity_discount = 0.5/,
    ],
    [
      'an interval of GLOBAL',
      method({ estimator: Estimator.GLOBAL, interval: 100 }),
      'method.interval',
      /not for GLOBAL/,
    ],
    [
      'an interval of FIXED',
      method({ estimator: Estimator.FIXED, interval: 100 }),
      'method.interval',
      /not for FIXED/,
    ],
    [
      'windows in a row of GLOBAL',
      method({ estimator: Estimator.GLOBAL, warmupWindows: 2 }),
      'method.warmup_windows',
      /not for GLOBAL/,
    ],
    [
      'shorter first windows of FIXED',
      method({ estimator: Estimator.FIXED, warmupWindowSteps: 25 }),
      'method.warmup_window_steps',
      /not for FIXED/,
    ],
    [
      'first windows that are longer than the others',
      method({ warmupWindows: 2, warmupWindowSteps: 60 }),
      'method.warmup_window_steps',
      /60 is not a number of steps from 1 to method.window = 50/,
    ],
    [
      'first windows without room for their hypergradients',
      method({ warmupWindows: 2, warmupWindowSteps: 19 }),
      'method.sigma',
      /20 hypergradients do not fit into 19 inner steps; at most 19/,
    ],
    [
      'no first window',
      method({ warmupWindows: -1 }),
      'method.warmup_windows',
      /-1 is not a number.*1 to 12/,
    ],
    [
      'more windows in a row than fit',
      method({ interval: 100, warmupWindows: 13 }),
      'method.warmup_windows',
      /13 is not a number of windows from 1 to 12, which training.steps = 600 has room for/,
    ],
    [
      'sparse windows longer than the training',
      { ...method({ interval: 100 }), training: { steps: 40, seeds: [] } },
      'training.steps',
      /40 is below method.window = 50/,
    ],
    ['trainings of GLOCAL', method({ trainings: 3 }), 'method.trainings', /GLOBAL only/],
    [
      'too many reverse steps',
      method({ reverseSteps: 51 }),
      'method.reverse_steps',
      /1 to method.window = 50/,
    ],
    [
      'more tangent examples than a batch has',
      method({ tangentExamples: 129 }),
      'method.tangent_examples',
      /129 is not.*from 0 to problem.batch_size = 128/,
    ],
    ['tangent examples below 0', method({ tangentExamples: -1 }), 'method.tangent_examples', /-1 is not/],
    [
      'no tangent example for what only the loss has',
      {
        ...space(float('lr', 0, 1, 0.1), float('classWeights', 0, 2, 1)),
        ...method({ tangentExamples: 0 }),
      },
      'method.tangent_examples',
      /classWeights, which is of the loss, acts through them alone/,
    ],
    [
      'no tangent example for a network',
      { ...space(float('lr', 0, 1, 0.1), network('reweighting', 4)), ...method({ tangentExamples: 0 }) },
      'method.tangent_examples',
      /reweighting, which is of the loss/,
    ],
    ['too large a sample', method({ validationSample: 101 }), 'method.validation_sample', /101 is not.*100/],
    [
      'a stride of the decomposition',
      method({ dmd: DmdOptions.fromPartial({ stride: 2 }) }),
      'method.dmd.stride',
      /method.stride = 1/,
    ],
    [
      'a share above 1',
      method({ dmd: DmdOptions.fromPartial({ lastShare: 1.1 }) }),
      'method.dmd.last_share',
      /1.1 is not a share/,
    ],
    ['clip 1', method({ dmd: DmdOptions.fromPartial({ clip: 1 }) }), 'method.dmd.clip', /between 0 and 1/],
    [
      'one value for each class',
      space(float('lr', 0, 1, 0.1, Scale.LOGIT, Grouping.CLASS)),
      'space.lr.grouping',
      /lr has one value or a value for each layer, not a value for each class/,
    ],
    [
      'another network',
      space(float('lr', 0, 1, 0.1), network('momentum', 4)),
      'space.momentum',
      /cannot be a network; only reweighting can/,
    ],
    [
      'a reweighting of one number',
      space(float('lr', 0, 1, 0.1), fixed('reweighting', 1)),
      'space.reweighting',
      /must be a network/,
    ],
    [
      'too large a network',
      space(float('lr', 0, 1, 0.1), network('reweighting', 5000)),
      'space.reweighting.hidden_units',
      /1 to 1024/,
    ],
    ['negative window', method({ window: -5 }), 'method.window', /-5 is not a positive/],
    ['no estimator', method({ estimator: Estimator.UNSPECIFIED }), 'method.estimator', /one of FIXED, LOCAL/],
    [
      'rank 1.5',
      method({ dmd: DmdOptions.fromPartial({ svdRank: 1.5 }) }),
      'method.dmd.svd_rank',
      /1\.5 is neither/,
    ],
    [
      'tolerance 0',
      method({ dmd: DmdOptions.fromPartial({ tolerance: 0 }) }),
      'method.dmd.tolerance',
      /positive/,
    ],
    [
      'outer rate 0',
      method({ outer: OuterOptimizer.create({ rate: 0 }) }),
      'method.outer.rate',
      /not a positive/,
    ],
    [
      'beta1 1',
      method({ outer: OuterOptimizer.create({ beta1: 1 }) }),
      'method.outer.beta1',
      /not in \[0, 1\)/,
    ],
    [
      'a schedule that there is not',
      method({ outer: OuterOptimizer.create({ schedule: 7 as OuterSchedule }) }),
      'method.outer.schedule',
      /7 is unknown; one of CONSTANT, COSINE/,
    ],
    [
      'a largest rise below 0',
      method({ outer: OuterOptimizer.create({ maxLossRise: -0.3 }) }),
      'method.outer.max_loss_rise',
      /-0\.3 is not a number of nats above 0, nor 0 for never/,
    ],
    [
      'a largest rise that is not finite',
      method({ outer: OuterOptimizer.create({ maxLossRise: Number.POSITIVE_INFINITY }) }),
      'method.outer.max_loss_rise',
      /Infinity is not a number/,
    ],
    ['no steps', { training: { steps: 0, seeds: [] } }, 'training.steps', /0 is not a positive/],
    ['negative steps', { training: { steps: -50, seeds: [] } }, 'training.steps', /-50 is not a positive/],
    ['too many steps', { training: { steps: 1_000_050, seeds: [] } }, 'training.steps', /limit, 1000000/],
    [
      'a broken window',
      { training: { steps: 620, seeds: [] } },
      'training.steps',
      /620 is not a multiple.*600 is/,
    ],
    [
      'more hypergradients than the DMD service takes',
      method({ window: 600, sigma: 600 }),
      'method.sigma',
      /600 hypergradients are more than the 512 that the DMD service takes/,
    ],
    [
      'negative sigma of LOCAL',
      method({ estimator: Estimator.LOCAL, sigma: -1 }),
      'method.sigma',
      /-1 is not/,
    ],
    [
      'more components than the DMD service takes',
      space(float('lr', 0, 1, 0.1), network('reweighting', 1024)),
      'space',
      /has 3074 components; the DMD service takes at most 2000/,
    ],
    [
      'a window that is too large to keep',
      {
        ...space(float('lr', 0, 1, 0.1), network('reweighting', 1024)),
        ...method({
          estimator: Estimator.MEAN,
          window: 12_000,
          sigma: 12_000,
          differentiation: Differentiation.FORWARD,
        }),
        training: { steps: 12_000, seeds: [] },
      },
      'method.sigma',
      /12000 hypergradients of 3074 components.*at most 10915/,
    ],
    [
      'a rank that no number of 32 bits can hold',
      method({ dmd: DmdOptions.fromPartial({ svdRank: 1e300 }) }),
      'method.dmd.svd_rank',
      /1e\+300 is neither/,
    ],
    [
      'more steps of all trainings than 32 bits can count',
      {
        ...method({ estimator: Estimator.GLOBAL, trainings: 3_000 }),
        training: { steps: 1_000_000, seeds: [] },
      },
      'training.steps',
      /1000000 x method.trainings = 3000 are 3000000000 steps; a trial has at most 2147483647/,
    ],
    ['too many seeds', { training: { steps: 600, seeds: [1, 2, 3, 4, 5] } }, 'training.seeds', /5 seeds/],
    ['a seed twice', { training: { steps: 600, seeds: [1, 1] } }, 'training.seeds', /repeated/],
    ['too urgent', { priority: 101 }, 'priority', /101 is not from -100 to 100/],
    ['not urgent enough', { priority: -101 }, 'priority', /-101 is not/],
    ['a long name', { displayName: 'x'.repeat(201) }, 'display_name', /has 201 characters; at most 200/],
  ])('names the field: %s', (_, changes, field, description) => {
    const found = problems(changes);
    expect(found.map(([where]) => where)).toEqual([field]);
    expect(found[0]?.[1]).toMatch(description);
  });

  it.each<[string, object, string, RegExp]>([
    ['data set', { dataset: 'mars' }, 'problem.dataset', /unknown data set "mars"; one of tiny, table, wide/],
    ['broken data set', { dataset: 'torn' }, 'problem.dataset', /torn.csv, line 3/],
    ['model', { model: 'gpt' }, 'problem.model', /unknown model "gpt"/],
    ['shape', { dataset: 'wide' }, 'problem.model', /net cannot be trained on wide: it takes 28x28x1/],
    ['imbalance', { imbalanceFactor: 0.5 }, 'problem.imbalance_factor', /0.5 is not a number of 1 or more/],
    ['label noise', { labelNoise: 1.5 }, 'problem.label_noise', /1.5 is not a share from 0 to 1/],
    [
      'padding',
      { augmentation: { cropPadding: 29 } },
      'problem.augmentation.crop_padding',
      /29 is not a number of pixels/,
    ],
    [
      'a cropped table',
      { dataset: 'table', augmentation: { horizontalFlip: true } },
      'problem.augmentation',
      /is for images/,
    ],
    ['batch', { batchSize: -1 }, 'problem.batch_size', /-1 is not positive/],
    ['batch too large', { batchSize: 901 }, 'problem.batch_size', /more than the 900 examples/],
    [
      'an imbalance that is not a number',
      { imbalanceFactor: Number.NaN },
      'problem.imbalance_factor',
      /NaN is not/,
    ],
    [
      'an imbalance without an example of a class',
      { imbalanceFactor: 1e6 },
      'problem.imbalance_factor',
      /1000000 leaves class 4 no example of the 90 /,
    ],
    [
      'an imbalance that leaves less than a batch',
      { imbalanceFactor: 50, batchSize: 400 },
      'problem.batch_size',
      /400 is more than the \d+ examples that are left for training with an imbalance factor of 50/,
    ],
    [
      'a batch of classes that differ in size',
      { dataset: 'table', imbalanceFactor: 1000, batchSize: 884 },
      'problem.batch_size',
      /884 is more than the 883/,
    ],
    ['no training left', { validationExamples: 1000 }, 'problem.validation_examples', /nothing to train on/],
  ])('names the field of the problem: %s', (_, changes, field, description) => {
    const problem = Problem.fromPartial({ dataset: 'tiny', model: 'net', optimizer: 'sgd', ...changes });
    const found = problems({ problem });
    expect(found.map(([where]) => where)).toEqual([field]);
    expect(found[0]?.[1]).toMatch(description);
  });

  it('lists all problems of an empty study at once', () => {
    const { violations } = completeStudy(Study.fromPartial({}), catalogue, limits);
    expect(violations.map(({ field }) => field)).toEqual([
      'problem.dataset',
      'problem.model',
      'problem.optimizer',
      'method.estimator',
      'training.steps',
      'space',
    ]);
  });

  it('lets FIXED run without anything to move, and without caring for sigma', () => {
    expect(
      problems({
        ...space(fixed('lr', 0.1)),
        ...method({ estimator: Estimator.FIXED, window: 10, sigma: 20 }),
      }),
    ).toEqual([]);
  });
});

describe('examples for second derivatives', () => {
  const batches = {
    name: 'batch_size',
    kind: { $case: 'discrete' as const, value: { values: [64, 128] } },
  };

  it('may be none, and are left open as all of the batch, however large that is', () => {
    expect(completed(method({ tangentExamples: 0 })).method.tangentExamples).toBe(0);
    expect(completed(method({ window: 50 })).method.tangentExamples).toBeUndefined();
  });

  it('are counted against the batch of each trial', () => {
    const of = (tangentExamples: number) =>
      problems({
        ...space(float('lr', 0, 1, 0.1), batches),
        ...method({ tangentExamples }),
      });
    expect(of(64)).toEqual([]);
    expect(of(65)).toEqual([
      ['method.tangent_examples', expect.stringMatching(/65 is not.*= 64; in trials/)],
    ]);
  });

  it('are not used by FIXED', () => {
    const changes = {
      ...space(fixed('lr', 0.1)),
      ...method({ estimator: Estimator.FIXED, tangentExamples: 0 }),
    };
    expect(problems(changes)).toEqual([]);
  });
});

describe('a display name', () => {
  it('is counted in characters as people see them', () => {
    expect(problems({ displayName: '😀'.repeat(200) })).toEqual([]);
    expect(problems({ displayName: '😀'.repeat(201) })).toEqual([
      ['display_name', 'has 201 characters; at most 200'],
    ]);
  });
});

describe('the default outer rate', () => {
  const rate = (updates: number, exact: boolean) => {
    const cost = exact ? { $case: 'exact' as const, value: true } : undefined;
    const dense = method({ window: 50, cost });
    return completed({ ...dense, training: { steps: 50 * updates, seeds: [] } }).method.outer?.rate;
  };

  it('is 0.6 up to 40 updates and about 0.2 at 400', () => {
    expect(rate(1, false)).toBe(0.6);
    expect(rate(40, false)).toBe(0.6);
    expect(rate(400, false)).toBeCloseTo(0.19, 3);
  });

  it('is half of that where it does not fall over the updates', () => {
    expect(rate(40, true)).toBe(0.3);
    expect(rate(400, true)).toBeCloseTo(0.095, 3);
  });
});
