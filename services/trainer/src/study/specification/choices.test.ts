/** Studies whose trials differ: what may be chosen, and that every trial can be trained. */

import {
  Estimator,
  FixedParameter,
  Grouping,
  type Parameter,
  type Problem,
  Sampling,
  SamplingMethod,
  Scale,
  Study,
} from '@glocal/proto/glocal/v1/study';
import { describe, expect, it } from 'vitest';
import { asComplete } from '../../resource/complete-study.ts';
import type { Catalogue } from '../catalogue.ts';
import { completeStudy, type StudyLimits } from '../specification.ts';

const dataset = (id: string, trainExamples: number, inputShape: number[]) => ({
  ...{ id, description: '', trainExamples, testExamples: 10, classes: 10, inputShape },
});
const hyperparameter = (name: string, max: number, defaultValue?: number) => ({
  ...{ name, description: '', min: 0, max, defaultValue, groupings: [Grouping.NONE], setting: false },
});
const catalogue: Catalogue = {
  brokenDatasets: new Map(),
  classSizes: new Map(),
  datasets: [
    dataset('images', 1_000, [28, 28, 1]),
    dataset('few', 50, [28, 28, 1]),
    dataset('table', 1_000, [4]),
  ],
  models: [
    {
      info: { id: 'mlp', description: '', parameters: 10 },
      rejects: () => undefined,
      size: () => ({ layers: 2, weights: 1_000 }),
    },
    {
      info: { id: 'conv', description: '', parameters: 10 },
      rejects: ({ inputShape }) => (inputShape.length === 3 ? undefined : 'it takes images'),
      size: () => ({ layers: 4, weights: 1_000 }),
    },
  ],
  optimizers: [
    {
      id: 'sgd',
      description: '',
      hyperparameters: [hyperparameter('lr', 10), hyperparameter('momentum', 1, 0)],
      averages: false,
    },
    {
      id: 'adam',
      description: '',
      hyperparameters: [hyperparameter('lr', 2), hyperparameter('beta1', 1, 0.9)],
      averages: false,
    },
    { id: 'plain', description: '', hyperparameters: [], averages: false },
  ],
  lossHyperparameters: [hyperparameter('labelSmoothing', 1, 0)],
};
const limits: StudyLimits = { maxSteps: 1_000, maxTrials: 100, maxWindowRows: 512, maxComponents: 2_000 };

type Kind = NonNullable<Parameter['kind']>;
const int = (min: number, max: number, step = 0): Kind => ({ $case: 'int', value: { min, max, step } });
const bool: Kind = { $case: 'bool', value: {} };
const categorical = (...values: string[]): Kind => ({ $case: 'categorical', value: { values } });
const discrete = (...values: number[]): Kind => ({ $case: 'discrete', value: { values } });
const fixed = (value: number): Kind => ({
  $case: 'fixed',
  value: FixedParameter.create({ value, grouping: Grouping.NONE }),
});
const float = (initials: number[], initial = 0): Kind => ({
  $case: 'float',
  value: { min: 0, max: 1, initial, scale: Scale.LOGIT, grouping: Grouping.NONE, initials, size: 0 },
});

interface Changes {
  readonly problem?: Partial<Problem>;
  readonly seeds?: number[];
  readonly sampling?: Partial<Sampling>;
}

/** By name; undefined to leave one out. */
type Named = Record<string, Kind | undefined>;

/** Of a study that is complete but for these parameters and `lr`. */
const completion = (parameters: Named, changes: Changes = {}) =>
  completeStudy(
    Study.fromPartial({
      space: {
        parameters: Object.entries({ lr: float([], 0.1), ...parameters }).flatMap(([name, kind]) =>
          kind === undefined ? [] : { name, kind },
        ),
      },
      problem: { dataset: 'images', model: 'mlp', optimizer: 'sgd', batchSize: 8, ...changes.problem },
      training: { steps: 100, seeds: changes.seeds ?? [] },
      method: { estimator: Estimator.GLOCAL },
      ...(changes.sampling && { sampling: changes.sampling }),
    }),
    catalogue,
    limits,
  );
type Arguments = Parameters<typeof completion>;
const faults = (...of: Arguments) =>
  completion(...of).violations.map(({ field, description }) => `${field}: ${description}`);
const completed = (...of: Arguments) => {
  const { study, violations } = completion(...of);
  if (study === undefined) throw new Error(violations.map(({ description }) => description).join('\n'));
  return asComplete(study);
};

describe('a complete study with choices', () => {
  it('keeps them as they were asked for, and leaves open what trials differ in', () => {
    const study = completed(
      { batch_size: int(8, 16), optimizer: categorical('sgd', 'adam'), lr: float([0.1, 0.2]) },
      { problem: { batchSize: 0, optimizer: '' } },
    );
    expect(study.problem).toMatchObject({ batchSize: 0, optimizer: '', validationExamples: 100 });
    expect(study.space.parameters).toEqual([
      { name: 'lr', kind: float([0.1, 0.2]) },
      { name: 'batch_size', kind: int(8, 16, 1) },
      { name: 'optimizer', kind: categorical('sgd', 'adam') },
    ]);
    expect(study.sampling).toEqual(Sampling.create({ method: SamplingMethod.GRID }));
  });

  it('leaves open what the data set decides where trials have different ones', () => {
    const datasets = { dataset: categorical('images', 'few') };
    expect(completed(datasets, { problem: { dataset: '' } }).problem.validationExamples).toBe(0);
    const { problem } = completed(datasets, { problem: { dataset: '', validationExamples: 7 } });
    expect(problem).toMatchObject({ dataset: '', validationExamples: 7 });
  });

  it('is not changed by being completed again', () => {
    const once = completed(
      {
        batch_size: discrete(8, 16),
        dataset: categorical('images', 'few'),
        'augmentation.horizontal_flip': bool,
        standardize: bool,
        momentum: discrete(0, 0.9),
      },
      { problem: { batchSize: 0, dataset: '' }, sampling: { method: SamplingMethod.SOBOL } },
    );
    expect(once.sampling).toMatchObject({ points: 10 });
    expect(completeStudy(once, catalogue, limits)).toEqual({ study: once, violations: [] });
  });
});

describe('a choice', () => {
  const unset: Partial<Problem> = { batchSize: 0 };

  it.each<[string, Named, Changes, string]>([
    [
      'bounds reversed',
      { batch_size: int(8, 4) },
      { problem: unset },
      'space.batch_size.min: 8 is above max (4)',
    ],
    [
      'a negative distance',
      { batch_size: int(4, 8, -2) },
      { problem: unset },
      'space.batch_size.step: -2 is not a positive distance',
    ],
    [
      'a batch of nothing',
      { batch_size: int(0, 8) },
      { problem: unset },
      'space.batch_size.min: 0 is not a whole number of 1 or more',
    ],
    [
      'half an example',
      { batch_size: discrete(4, 4.5) },
      { problem: unset },
      'space.batch_size.values: 4.5 is not a whole number of 1 or more',
    ],
    ['no values', { momentum: discrete() }, {}, 'space.momentum.values: has no values'],
    ['a value twice', { momentum: discrete(0.5, 0.5) }, {}, 'space.momentum.values: a value is repeated'],
    [
      'too many values',
      { momentum: discrete(...Array.from({ length: 257 }, (_, i) => i / 257)) },
      {},
      'space.momentum.values: 257 values are more than the 256 allowed',
    ],
    ['no number', { momentum: discrete(0, Number.NaN) }, {}, 'space.momentum.values: NaN is not finite'],
    [
      'a value outside the domain',
      { momentum: discrete(0.5, 1.5) },
      {},
      'space.momentum.values: 1.5 is outside the domain of momentum, [0, 1]',
    ],
    [
      'a bound outside the domain',
      { momentum: int(0, 2) },
      {},
      'space.momentum.max: 2 is outside the domain of momentum, [0, 1]',
    ],
    [
      'a name that is empty',
      { model: categorical('mlp', '') },
      { problem: { model: '' } },
      'space.model.values: "" has 0 characters; a name has 1 to 200',
    ],
    [
      'an unknown id',
      { model: categorical('mlp', 'gpt') },
      { problem: { model: '' } },
      'space.model.values: unknown model "gpt"; one of mlp, conv',
    ],
    [
      'a kind that does not fit the field',
      { batch_size: bool },
      { problem: unset },
      'space.batch_size: cannot be bool; make it int or discrete',
    ],
    [
      'a hyperparameter that is no number',
      { momentum: bool },
      {},
      'space.momentum: cannot be bool; make it float, fixed, int or discrete',
    ],
    [
      'a field that would move',
      { batch_size: fixed(8) },
      { problem: unset },
      'space.batch_size: is a field of the problem: set it there, or make it int or discrete',
    ],
    [
      'a field that the problem sets, too',
      { batch_size: int(4, 8) },
      {},
      'problem.batch_size: is a parameter of the space, too; leave it out here',
    ],
    [
      'a name that is neither',
      { width: int(4, 8) },
      {},
      'space.width: is a hyperparameter neither of sgd (lr, momentum) nor of the loss (labelSmoothing, reweighting)',
    ],
    [
      'too many initial values',
      { lr: float(Array.from({ length: 65 }, (_, i) => (i + 1) / 66)) },
      {},
      'space.lr.initials: 65 values are more than the 64 allowed',
    ],
    ['an initial value twice', { lr: float([0.1, 0.1]) }, {}, 'space.lr.initials: a value is repeated'],
    ['an initial value outside', { lr: float([0.1, 2]) }, {}, 'space.lr.initials: 2 is above max (1)'],
    [
      'both forms of initial values',
      { lr: float([0.1, 0.2], 0.3) },
      {},
      'space.lr.initial: 0.3 is not used where initials are given; leave it out',
    ],
  ])('is refused: %s', (_, parameters, changes, fault) => {
    expect(faults(parameters, changes)).toEqual([fault]);
  });
});

describe('trials that could not be trained', () => {
  it.each<[string, Named, Changes, string[]]>([
    [
      'for an optimizer that needs what is not listed',
      { optimizer: categorical('plain', 'sgd'), lr: undefined, labelSmoothing: float([], 0.1) },
      { problem: { optimizer: '' } },
      ['space.lr: sgd needs it'],
    ],
    [
      'for an optimizer that lacks a hyperparameter',
      { optimizer: categorical('sgd', 'adam'), momentum: discrete(0, 0.9) },
      { problem: { optimizer: '' } },
      [
        'space.momentum: is a hyperparameter neither of adam (lr, beta1) nor of the loss (labelSmoothing, reweighting)',
      ],
    ],
    [
      'for the narrower domain of one of them',
      {
        optimizer: categorical('sgd', 'adam'),
        lr: { ...float([]), ...{ $case: 'discrete', value: { values: [1, 3] } } },
        labelSmoothing: float([], 0.1),
      },
      { problem: { optimizer: '' } },
      ['space.lr.values: 3 is outside the domain of lr, [0, 2]'],
    ],
    [
      'for a batch that does not fit into one of the data sets',
      { dataset: categorical('images', 'few'), batch_size: discrete(16, 64) },
      { problem: { dataset: '', batchSize: 0 } },
      [
        'space.batch_size: 64 is more than the 45 examples that are left for training; in trials with dataset "few"',
      ],
    ],
    [
      'for a batch size of the problem',
      { dataset: categorical('images', 'few') },
      { problem: { dataset: '', batchSize: 64 } },
      [
        'problem.batch_size: 64 is more than the 45 examples that are left for training; in trials with dataset "few"',
      ],
    ],
    [
      'for a model and a data set that do not go together',
      { dataset: categorical('images', 'table'), model: categorical('mlp', 'conv') },
      { problem: { dataset: '', model: '' } },
      ['space.model: conv cannot be trained on table: it takes images; in trials with dataset "table"'],
    ],
    [
      'for padding beyond the image',
      { 'augmentation.crop_padding': int(0, 40, 20) },
      {},
      ['space.augmentation.crop_padding: 40 is not a number of pixels from 0 to the size of the image'],
    ],
  ])('are named: %s', (_, parameters, changes, expected) => {
    expect(faults(parameters, changes)).toEqual(expected);
  });
});

describe('sampling', () => {
  const { GRID, RANDOM, SOBOL } = SamplingMethod;

  it.each<[string, Named, Changes, string]>([
    [
      'a grid of too many points',
      {
        momentum: discrete(0, 0.5, 0.9),
        labelSmoothing: discrete(...Array.from({ length: 20 }, (_, i) => i / 20)),
      },
      { seeds: [1, 2] },
      'space: makes 120 trials, one for each seed at each point; a study may have 100; give it fewer values, or take some of the points by SOBOL or RANDOM',
    ],
    [
      'a grid of points that nobody could count',
      {
        momentum: discrete(0, 0.5),
        ...Object.fromEntries(
          ['batch_size', 'validation_examples'].map((name) => [name, int(1, 2 ** 31 - 1)]),
        ),
      },
      { problem: { batchSize: 0 } },
      'space: makes 9223372028264841000 trials, one for each seed at each point; a study may have 100; give it fewer values, or take some of the points by SOBOL or RANDOM',
    ],
    [
      'a number of points of a grid',
      {},
      { sampling: { method: GRID, points: 3 } },
      'sampling.points: 3 is for RANDOM and SOBOL; leave it out',
    ],
    [
      'a negative number of points',
      { momentum: discrete(0, 0.5, 0.9) },
      { sampling: { method: RANDOM, points: -3 } },
      'sampling.points: -3 is not a positive number of points',
    ],
    [
      'more points than there are',
      { momentum: discrete(0, 0.5, 0.9) },
      { sampling: { method: SOBOL } },
      'sampling.points: 10 points are more than the 3 that there are; GRID takes all',
    ],
    [
      'more trials than allowed',
      { batch_size: int(1, 1_000) },
      { problem: { batchSize: 0 }, seeds: [1, 2], sampling: { method: RANDOM, points: 60 } },
      'sampling.points: makes 120 trials, one for each seed at each point; a study may have 100',
    ],
    [
      'an unknown method',
      {},
      { sampling: { method: 9 as SamplingMethod } },
      'sampling.method: 9 is unknown; one of GRID, RANDOM, SOBOL',
    ],
    [
      'a negative number of trials at a time',
      {},
      { sampling: { maxRunningTrials: -1 } },
      'sampling.max_running_trials: -1 is below 0',
    ],
  ])('is refused: %s', (_, parameters, changes, fault) => {
    expect(faults(parameters, changes)).toEqual([fault]);
  });
});
