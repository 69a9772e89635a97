/** Specifications for tests. */

import {
  bool,
  categorical,
  discrete,
  fixed,
  float,
  int,
  network,
  scheduled,
  space,
  vector,
} from '../space.ts';
import type { StudySpec } from '../spec.ts';

/** A type with every property there, however deep: the compiler refuses {@link everything} when one is forgotten. */
type Everything<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [Key in keyof T]-?: Everything<Exclude<T[Key], undefined>> }
    : T;

/** Says something about every field, and nowhere the default. */
export const everything = {
  displayName: 'all of it',
  labels: { team: 'vision', run: 'first' },
  priority: 3,
  space: space({
    momentum: float({ min: 0.01, max: 1, init: 0.1, scale: 'logit' }),
    lr: float({ min: 1e-4, max: 1, init: 0.01, scale: 'log' }),
    weightDecay: fixed(5e-4),
    rates: fixed([0.1, 0.2], { per: 'layer' }),
    points: scheduled({
      points: [
        { step: 3, value: 0.1 },
        { step: 7, value: 0.2 },
      ],
    }),
    vectors: scheduled({
      points: [
        { step: 3, value: [0.1, 0.3] },
        { step: 7, value: [0.2, 0.4] },
      ],
      per: 'layer',
    }),
    cosine: scheduled({ cosine: { peak: 0.3, final: 0.1, warmupSteps: 20 } }),
    cooldown: scheduled({ cooldown: { value: 0.3, cooldownSteps: 30, warmupSteps: 10 } }),
    replay: scheduled({ replay: { trial: 'studies/a/trials/0', parameter: 'lr' } }),
    l2: vector({ per: 'layer', min: 0.01, max: 1, init: 0.1, scale: 'linear' }),
    classWeights: vector({ per: 'class', min: 0.01, max: 2, init: 1, scale: 'logit' }),
    reweighting: network({ hiddenUnits: 8, detached: true }),
    dampening: float({ min: 0.01, max: 1, init: [0.1, 0.2], scale: 'linear' }),
    own: vector({ size: 3, min: 0.01, max: 1, init: [0.3, 0.4], scale: 'log' }),
    layers: int({ min: -1, max: 9, step: 2 }),
    nesterov: bool(),
    model: categorical(['small', 'large']),
    shape: categorical({
      flat: {},
      bent: { rise: float({ min: 0.01, max: 1, init: 0.2, scale: 'log' }), fall: fixed(0.3) },
    }),
    'augmentation.cropPadding': discrete([2, 4]),
  }),
  problem: {
    dataset: 'd',
    model: 'm',
    optimizer: 'o',
    batchSize: 64,
    validationExamples: 500,
    standardize: false,
    imbalanceFactor: 50,
    labelNoise: 0.4,
    augmentation: { cropPadding: 4, horizontalFlip: true },
    module: 'own',
    options: {},
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
    tangentExamples: 0,
    trainings: 3,
    dmdAbsence: 'pause',
    interval: 120,
    warmupWindows: 4,
    warmupWindowSteps: 30,
    overhead: 1.5,
    dmd: {
      variant: 'forward_backward',
      delays: 5,
      svdRank: 0.9,
      tolerance: 0.05,
      clip: 0.5,
      ridge: 0.1,
      lastShare: 0.8,
      scaling: 'none',
      selection: 'nearest',
      anchor: 'last',
      includeContributions: true,
    },
    outer: {
      rate: 0.2,
      beta1: 0.8,
      beta2: 0.99,
      epsilon: 1e-6,
      schedule: 'cosine',
      maxLossRise: 0.3,
      normalize: true,
    },
  },
  sampling: { method: 'sobol', points: 5, seed: 4_000_000_001, maxRunningTrials: 2 },
  mode: 'driven',
  decisionTimeout: 1_500,
} satisfies Pick<StudySpec, 'space'> & Everything<Omit<StudySpec, 'space'>>;
