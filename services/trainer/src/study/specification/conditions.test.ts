/** Parameters that exist in some trials only: which conditions there may be, and that every trial can be trained. */

import {
  Estimator,
  FloatParameter,
  Grouping,
  type Parameter,
  RunMode,
  Sampling,
  SamplingMethod,
  Study,
} from '@glocal/proto/glocal/v1/study';
import { describe, expect, it } from 'vitest';
import { asComplete, asExternal } from '../../resource/complete-study.ts';
import type { Catalogue } from '../catalogue.ts';
import { newTrials } from '../new-trials.ts';
import { completeStudy, type StudyLimits } from '../specification.ts';

const hyperparameter = (name: string, max: number, defaultValue?: number) => ({
  ...{ name, description: '', min: 0, max, defaultValue, groupings: [Grouping.NONE], setting: false },
});
const optimizer = (id: string, ...hyperparameters: ReturnType<typeof hyperparameter>[]) => ({
  ...{ id, description: '', hyperparameters, averages: false },
});
const model = (id: string) => ({
  info: { id, description: '', parameters: 10 },
  rejects: () => undefined,
  size: () => ({ layers: 2, weights: 1_000 }),
});
const catalogue: Catalogue = {
  brokenDatasets: new Map(),
  classSizes: new Map(),
  datasets: [
    {
      ...{ id: 'images', description: '', trainExamples: 1_000, testExamples: 10, classes: 10 },
      inputShape: [28, 28, 1],
    },
  ],
  models: [model('mlp'), model('conv')],
  optimizers: [
    optimizer('sgd', hyperparameter('lr', 10), hyperparameter('momentum', 1, 0)),
    optimizer('adam', hyperparameter('lr', 2), hyperparameter('beta1', 1, 0.9)),
  ],
  lossHyperparameters: [hyperparameter('labelSmoothing', 1, 0)],
};
const limits: StudyLimits = { maxSteps: 1_000, maxTrials: 20, maxWindowRows: 512, maxComponents: 2_000 };

type Kind = NonNullable<Parameter['kind']>;
const categorical = (...values: string[]): Kind => ({ $case: 'categorical', value: { values } });
const float = (initials: number[] = [], max = 1): Kind => ({
  $case: 'float',
  value: FloatParameter.create({ min: 0, max, initial: initials.length > 0 ? 0 : 0.5, initials }),
});
const batchSize: Kind = { $case: 'discrete', value: { values: [8, 16] } };
const parameter = (name: string, kind: Kind, of?: string, ...values: string[]): Parameter => ({
  ...{ name, kind },
  ...(of !== undefined && { condition: { parameter: of, values } }),
});

const optimizers = parameter('optimizer', categorical('sgd', 'adam'));
const lr = parameter('lr', float());

function complete(parameters: Parameter[], others: Partial<Study> = {}) {
  const problem = { dataset: 'images', model: 'mlp', batchSize: 8 };
  const chosen = new Set(parameters.map(({ name }) => name));
  const requested = Study.fromPartial({
    space: { parameters },
    problem: {
      ...problem,
      ...(chosen.has('model') && { model: '' }),
      ...(!chosen.has('optimizer') && { optimizer: 'sgd' }),
    },
    training: { steps: 100 },
    method: { estimator: Estimator.LOCAL },
    ...others,
  });
  return completeStudy(requested, catalogue, limits);
}

const violations = (...args: Parameters<typeof complete>): Record<string, string> =>
  Object.fromEntries(complete(...args).violations.map(({ field, description }) => [field, description]));

const trials = (...args: Parameters<typeof complete>) => {
  const { study, violations } = complete(...args);
  expect(violations).toEqual([]);
  return newTrials('a', asComplete(study as Study)).map(({ choices, values }) => ({
    choices: choices.map(({ value }) => value?.value),
    values: Object.fromEntries(values.map(({ name, value }) => [name, value])),
  }));
};

describe('a parameter of some trials', () => {
  it('may be one that only their optimizer has, and the others have what is theirs at its default', () => {
    const made = trials([optimizers, lr, parameter('momentum', float([0.1, 0.2]), 'optimizer', 'sgd')]);
    expect(made).toMatchObject([
      { choices: ['sgd', 0.1], values: { lr: 0.5, momentum: 0.1 } },
      { choices: ['sgd', 0.2], values: { lr: 0.5, momentum: 0.2 } },
      { choices: ['adam'], values: { lr: 0.5, beta1: 0.9 } },
    ]);
    expect(Object.keys(made[2]?.values ?? {})).not.toContain('momentum');
  });

  it('may have the name of one that other trials have, with other bounds', () => {
    const twins = [
      optimizers,
      parameter('lr', float([5], 10), 'optimizer', 'sgd'),
      parameter('lr', float([0.1, 0.2]), 'optimizer', 'adam'),
    ];
    expect(trials(twins).map(({ choices, values }) => [...choices, values.lr])).toEqual([
      ['sgd', 5, 5],
      ['adam', 0.1, 0.1],
      ['adam', 0.2, 0.2],
    ]);
    expect(
      violations([optimizers, twins[1] as Parameter, parameter('lr', float([5], 10), 'optimizer', 'adam')]),
    ).toEqual({
      'space.optimizer.adam.lr.max': '10 is outside the domain of lr, [0, 2]',
    });
  });

  it('has its default where it does not exist, also with one optimizer', () => {
    const models = parameter('model', categorical('mlp', 'conv'));
    expect(trials([models, lr, parameter('momentum', float(), 'model', 'conv')])).toMatchObject([
      { choices: ['mlp'], values: { lr: 0.5, momentum: 0 } },
      { choices: ['conv'], values: { lr: 0.5, momentum: 0.5 } },
    ]);
  });

  it('makes trials only where it exists, also of draws', () => {
    const space = [optimizers, lr, parameter('momentum', float([0.1, 0.2, 0.3]), 'optimizer', 'sgd')];
    for (const method of [SamplingMethod.RANDOM, SamplingMethod.SOBOL]) {
      const sampling = Sampling.create({ method, points: 4, seed: 1 });
      const taken = trials(space, { sampling }).map(({ choices }) => choices.join(' '));
      expect(taken.toSorted()).toEqual(['adam', 'sgd 0.1', 'sgd 0.2', 'sgd 0.3']);
      expect(violations(space, { sampling: { ...sampling, points: 5 } })).toEqual({
        'sampling.points': '5 points are more than the 4 that there are; GRID takes all',
      });
    }
  });
});

describe('a condition', () => {
  const of = (name: string, ...values: string[]) => parameter('momentum', float(), name, ...values);

  it('names a categorical that comes before, and some of its values', () => {
    const field = 'space.optimizer.sgd.momentum.condition';
    expect(violations([of('optimizer', 'sgd'), optimizers, lr])).toEqual({
      'space.momentum.condition.parameter': '"optimizer" is not the name of one parameter before it',
    });
    expect(violations([optimizers, lr, of('lr', 'sgd')])).toMatchObject({
      'space.lr.sgd.momentum.condition.parameter': '"lr" is not categorical',
    });
    expect(violations([optimizers, lr, of('momentum', 'sgd')])).toMatchObject({
      'space.momentum.condition.parameter': '"momentum" is not the name of one parameter before it',
    });
    expect(violations([optimizers, lr, of('optimizer')])).toMatchObject({
      'space.momentum.condition.values': 'has no values',
    });
    expect(violations([optimizers, lr, of('optimizer', 'sgd', 'sgd')])).toMatchObject({
      [`${field}.values`]: 'a value is repeated',
    });
    expect(violations([optimizers, lr, of('optimizer', 'sgd', 'sdg')])).toEqual({
      [`${field}.values`]: '"sdg" is none of the values of optimizer; one of sgd, adam',
    });
  });

  it('leaves no trial with two parameters of a name', () => {
    expect(violations([optimizers, lr, parameter('lr', float(), 'optimizer', 'sgd')])).toEqual({
      'space.optimizer.sgd.lr': 'is listed twice',
    });
  });

  it('is not for a field of the problem', () => {
    expect(
      violations([optimizers, lr, parameter('batch_size', batchSize, 'optimizer', 'sgd')]),
    ).toMatchObject({
      'space.optimizer.sgd.batch_size.condition': 'is not for a field of the problem, which every trial has',
    });
  });

  it('leaves no trial without what its optimizer needs, or with nothing that could move', () => {
    const models = parameter('model', categorical('mlp', 'conv'));
    expect(violations([optimizers, parameter('lr', float(), 'optimizer', 'sgd')])).toMatchObject({
      'space.lr': 'adam needs it',
    });
    expect(violations([models, parameter('lr', float(), 'model', 'conv')])).toEqual({
      'space.lr': 'sgd needs it; in trials with model "mlp"',
    });
    const kept: Kind = { $case: 'discrete', value: { values: [0.1] } };
    expect(
      violations([models, parameter('lr', kept), parameter('momentum', float(), 'model', 'conv')]),
    ).toEqual({
      space: expect.stringMatching(
        /^has nothing that hypergradients could move.*; in trials with model "mlp"$/,
      ),
    });
  });
});

describe('a space of a client that trains', () => {
  const external = { mode: RunMode.EXTERNAL, problem: undefined } as const;
  const nested = [
    parameter('method', categorical('a', 'b')),
    parameter('variant', categorical('x', 'y'), 'method', 'a'),
    parameter('rate', float(), 'variant', 'x'),
    parameter('rate', float(), 'method', 'b'),
    parameter('decay', float()),
  ];

  it('may have conditions of conditions', () => {
    const { study, violations } = complete(nested, external);
    expect(violations).toEqual([]);
    const made = newTrials('a', asExternal(study as Study));
    expect(made.map(({ choices, values }) => [...choices, ...values].map(({ name }) => name))).toEqual([
      ['method', 'variant', 'rate', 'decay'],
      ['method', 'variant', 'decay'],
      ['method', 'rate', 'decay'],
    ]);
  });

  it('moves something in every trial', () => {
    expect(violations(nested.slice(0, 4), external)).toEqual({
      space:
        'has nothing that hypergradients could move; make at least one parameter a float; in trials with method "a", variant "y"',
    });
  });

  it('has no parameter twice, however its conditions are nested', () => {
    expect(violations([...nested, parameter('rate', float(), 'method', 'a', 'b')], external)).toEqual({
      'space.method.a.rate': 'is listed twice',
    });
  });
});
