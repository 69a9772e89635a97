import { Anchor, Scaling, Selection, Variant } from '@glocal/proto/glocal/v1/dmd';
import { Estimator, Scale, Study } from '@glocal/proto/glocal/v1/study';
import { describe, expect, it } from 'vitest';
import type { GlocalError } from './error.ts';
import { fixed, float, network, space, vector } from './space.ts';
import type { StudySpec } from './spec.ts';
import { decodeSpec, encodeSpec } from './spec-codec.ts';

const least: StudySpec = {
  space: space({ lr: float({ min: 1e-4, max: 1, init: 0.01 }) }),
  problem: { dataset: 'fashion-mnist-10k', model: 'lenet', optimizer: 'sgd' },
  training: { steps: 2_000 },
  method: { estimator: 'glocal' },
};

const everything: StudySpec = {
  displayName: 'all of it',
  space: space({
    momentum: float({ min: 0, max: 1, init: 0.1, scale: 'logit' }),
    lr: float({ min: 1e-4, max: 1, init: 0.01, scale: 'log' }),
    weightDecay: fixed(5e-4),
    l2: vector({ per: 'layer', min: 0, max: 1, init: 0.1, scale: 'linear' }),
    classWeights: vector({ per: 'class', min: 0, max: 2, init: 1, scale: 'logit' }),
    reweighting: network({ hiddenUnits: 8, detached: true }),
  }),
  problem: {
    dataset: 'd',
    model: 'm',
    optimizer: 'o',
    batchSize: 64,
    validationExamples: 500,
    standardize: false,
    imbalanceFactor: 50,
    augmentation: { cropPadding: 4, horizontalFlip: true },
  },
  training: { steps: 1_000, seeds: [3, 4_294_967_295] },
  method: {
    estimator: 'median',
    window: 40,
    sigma: 12,
    stride: 2,
    evaluation: 'last_iterate',
    averaging: 0.9,
    sensitivityDiscount: 0.5,
    differentiation: 'reverse',
    reverseSteps: 7,
    validationSample: 100,
    validationSeed: 4_000_000_000,
    trainings: 3,
    dmd: {
      variant: 'forward_backward',
      delays: 5,
      svdRank: 0.9,
      tolerance: 0.05,
      clip: 0.5,
      ridge: 0.1,
      scaling: 'none',
      selection: 'nearest',
      anchor: 'last',
      includeContributions: true,
    },
    outer: { rate: 0.2, beta1: 0.8, beta2: 0.99, epsilon: 1e-6 },
  },
};

const sent = (spec: StudySpec) => Study.decode(Study.encode(encodeSpec(spec)).finish());

describe('encodeSpec', () => {
  it('leaves to the server what the caller leaves out', () => {
    expect(sent(least)).toMatchObject({
      displayName: '',
      space: {
        parameters: [
          { name: 'lr', kind: { $case: 'float', value: { initial: 0.01, scale: Scale.UNSPECIFIED } } },
        ],
      },
      problem: { batchSize: 0, validationExamples: 0 },
      training: { steps: 2_000, seeds: [] },
      method: { estimator: Estimator.GLOCAL, window: 0, sigma: 0 },
    });
    expect(sent(least).problem?.standardize).toBeUndefined();
    expect(sent(least).method?.dmd).toEqual({
      variant: Variant.UNSPECIFIED,
      delays: undefined,
      svdRank: undefined,
      tolerance: undefined,
      scaling: Scaling.UNSPECIFIED,
      selection: Selection.UNSPECIFIED,
      anchor: Anchor.UNSPECIFIED,
      includeContributions: false,
    });
    expect(sent(least).method?.outer).toEqual({});
  });

  it('says everything that the caller says', () => {
    expect(decodeSpec(sent(everything))).toEqual(everything);
    expect(Object.keys(decodeSpec(sent(everything)).space.parameters)).toEqual([
      'momentum',
      'lr',
      'weightDecay',
      'l2',
      'classWeights',
      'reweighting',
    ]);
  });

  it('refuses what cannot be sent, all of it at once, naming the fields', () => {
    const wrong = {
      ...everything,
      space: space({ lr: float({ min: 0, max: 1, init: 0.5, scale: 'cubic' as 'log' }) }),
      problem: { ...everything.problem, batchSize: 12.5 },
      training: { steps: Number.NaN, seeds: [0, -1] },
      method: { estimator: 'Glocal' as 'glocal', window: 2 ** 31, dmd: { delays: 1.5 } },
    };
    let thrown: GlocalError | undefined;
    try {
      encodeSpec(wrong);
    } catch (error) {
      thrown = error as GlocalError;
    }
    expect(thrown).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'NOT_ENCODABLE', requestId: undefined });
    expect(Object.fromEntries(thrown?.fieldViolations.map((v) => [v.field, v.description]) ?? [])).toEqual({
      'space.lr.scale': '"cubic" is unknown; one of logit, log, linear',
      'problem.batchSize': '12.5 is not a whole number from -2147483648 to 2147483647',
      'training.steps': 'NaN is not a whole number from -2147483648 to 2147483647',
      'training.seeds[1]': '-1 is not a whole number from 0 to 4294967295',
      'method.estimator': '"Glocal" is unknown; one of fixed, local, mean, median, glocal, global',
      'method.window': '2147483648 is not a whole number from -2147483648 to 2147483647',
      'method.dmd.delays': '1.5 is not a whole number from 0 to 4294967295',
    });
  });

  it('leaves whole numbers that make no sense to the server', () => {
    expect(sent({ ...least, training: { steps: -5 } }).training?.steps).toBe(-5);
  });
});
