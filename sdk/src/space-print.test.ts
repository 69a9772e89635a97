import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
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
} from './space.ts';
import { describeSpec } from './spec-print.ts';

const every = space({
  lr: float({ min: 1e-4, max: 1, init: [0.001, 0.01], scale: 'log' }),
  l2: vector({ per: 'layer', min: 0, max: 1, init: 0.1 }),
  own: vector({ size: 3, min: 0, max: 1, init: 0.1, scale: 'linear' }),
  reweighting: network({ detached: true }),
  weightDecay: fixed(5e-4),
  rates: fixed([1, 2, 3, 4, 5, 6, 7, 8, 9], { per: 'layer' }),
  cosine: scheduled({ cosine: { peak: 0.3, warmupSteps: 20 } }),
  cooldown: scheduled({ cooldown: { value: 0.3 } }),
  points: scheduled({ points: [{ step: 0, value: 1 }] }),
  vectors: scheduled({ points: [{ step: 0, value: [1, 2] }], per: 'layer' }),
  replay: scheduled({ replay: { trial: 'studies/a/trials/0', parameter: 'lr' } }),
  layers: int({ min: 1, max: 9, step: 2 }),
  nesterov: bool(),
  optimizer: categorical(['sgd', 'adam']),
  batchSize: discrete([64, 128]),
  model: categorical({ small: {}, large: { layers: int({ min: 1, max: 3 }) } }),
});

describe('a space', () => {
  it('prints itself in columns', () => {
    expect(
      `${every}`,
    ).toBe(`lr           float                0.0001 … 1                        from 0.001, 0.01, log
l2           vector per layer     0 … 1                             from 0.1, logit
own          vector of 3          0 … 1                             from 0.1, linear
reweighting  network              128 hidden units                  detached
weightDecay  fixed                0.0005
rates        fixed per layer      1, 2, 3, 4, 5, 6, 7, 8, … (9)
cosine       scheduled            cosine: peak 0.3, warmupSteps 20
cooldown     scheduled            cooldown: value 0.3
points       scheduled            1 point
vectors      scheduled per layer  1 point
replay       scheduled            as lr in studies/a/trials/0
layers       int                  1 … 9 by 2
nesterov     bool                 false, true
optimizer    categorical          sgd, adam
batchSize    discrete             64, 128
model        categorical          small, large
  large:
    layers   int                  1 … 3`);
    expect(inspect(every)).toBe(every.toString());
  });
});

describe('a specification', () => {
  it('is described in a few lines', () => {
    const spec = {
      displayName: 'fashion, first try',
      labels: { team: 'vision', run: 'first' },
      space: space({ lr: float({ min: 1e-4, max: 1, init: 0.01, scale: 'log' }), weightDecay: fixed(5e-4) }),
      problem: { dataset: 'fashion-mnist-10k', model: 'lenet', optimizer: 'sgd' },
      training: { steps: 2_000, seeds: [0, 1] },
      method: { estimator: 'glocal', dmd: { delays: 10 } },
    } as const;
    expect(describeSpec(spec)).toBe(`fashion, first try
labels    team=vision, run=first
problem   dataset fashion-mnist-10k, model lenet, optimizer sgd
training  steps 2000, seeds 0 1
method    estimator glocal, dmd.delays 10
space
  lr           float  0.0001 … 1  from 0.01, log
  weightDecay  fixed  0.0005`);
  });
});
