/** Studies that cannot be trained are refused before anything is stored, with each fault named as its author wrote it. */

import { fixed, float, GlocalClient, type ParameterMap, type StudySpec, space } from '@glocal/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rejection } from '../support/rejection.ts';
import { quickStudy } from '../support/studies.ts';
import { TestTrainer } from '../support/trainer.ts';

const MAX_STEPS = 10_000;

let trainer: TestTrainer;

beforeAll(async () => {
  trainer = await TestTrainer.start({ args: ['--max-steps', String(MAX_STEPS)] });
});
afterAll(() => trainer[Symbol.asyncDispose]());

/** What is changed in a study without a fault. */
interface Changes {
  readonly displayName?: string;
  readonly space?: ParameterMap;
  readonly problem?: Partial<StudySpec['problem']>;
  readonly training?: Partial<StudySpec['training']>;
  readonly method?: Partial<StudySpec['method']>;
}

function changed(changes: Changes): StudySpec {
  const good = quickStudy();
  return {
    displayName: changes.displayName ?? '',
    space: changes.space === undefined ? good.space : space(changes.space),
    problem: { ...good.problem, ...changes.problem },
    training: { ...good.training, ...changes.training },
    method: { ...good.method, ...changes.method },
  };
}

const lr = (options: Partial<Parameters<typeof float>[0]>) =>
  float({ min: 1e-3, max: 1, init: 0.02, scale: 'log', ...options });

const faults: [what: string, Changes, field: string, description: RegExp][] = [
  [
    'bounds that are reversed',
    { space: { lr: lr({ min: 1, max: 0.1, init: 0.5 }) } },
    'space.lr.min',
    /1 is not below max \(0\.1\)/,
  ],
  [
    'an initial value above the bounds',
    { space: { lr: lr({ init: 2 }) } },
    'space.lr.init',
    /2 is above max \(1\)/,
  ],
  [
    'an initial value below the bounds',
    { space: { lr: lr({ init: 1e-4 }) } },
    'space.lr.init',
    /0\.0001 is below min \(0\.001\)/,
  ],
  [
    'an initial value on a bound of logit',
    { space: { lr: lr({ init: 1, scale: 'logit' }) } },
    'space.lr.init',
    /strictly between/,
  ],
  ['a logarithm down to zero', { space: { lr: lr({ min: 0 }) } }, 'space.lr.min', /0 is not positive/],
  [
    'a bound that is not a number',
    { space: { lr: lr({ max: Number.NaN }) } },
    'space.lr.max',
    /NaN is not a finite number/,
  ],
  [
    'a bound outside the domain',
    { space: { lr: lr({ max: 1_000 }) } },
    'space.lr.max',
    /outside the domain of lr/,
  ],
  [
    'a fixed value outside the domain',
    { space: { lr: lr({}), momentum: fixed(2) } },
    'space.momentum.value',
    /2 is outside the domain/,
  ],
  [
    'an unknown name',
    { space: { lr: lr({}), dropout: fixed(0.5) } },
    'space.dropout',
    /neither of sgd \(lr, momentum, weightDecay.*\) nor of the loss/,
  ],
  [
    'a hyperparameter left out that has no default',
    { space: { momentum: float({ min: 0, max: 1, init: 0.5 }) } },
    'space.lr',
    /sgd needs it/,
  ],
  [
    'nothing differentiable',
    { space: { lr: fixed(0.1) } },
    'space',
    /nothing that hypergradients could move/,
  ],
  [
    'a sigma that is too short for the delays',
    { method: { sigma: 3 } },
    'method.sigma',
    /3 is too short for delays = 3; at least 4/,
  ],
  [
    'a sigma above the window',
    { method: { sigma: 21 } },
    'method.sigma',
    /21 hypergradients do not fit into 20 inner steps/,
  ],
  ['a sigma that is negative', { method: { sigma: -1 } }, 'method.sigma', /-1 is not a positive/],
  ['a window that is negative', { method: { window: -5 } }, 'method.window', /-5 is not a positive/],
  [
    'more hypergradients than the DMD service takes',
    { training: { steps: 600 }, method: { window: 600, sigma: 600 } },
    'method.sigma',
    /600 hypergradients are more than the 512/,
  ],
  [
    'a rank beyond any matrix',
    { method: { dmd: { svdRank: 1e300 } } },
    'method.dmd.svdRank',
    /1e\+300 is neither/,
  ],
  [
    'an imbalance that leaves less than a batch',
    { problem: { imbalanceFactor: 1_000, batchSize: 2_048 } },
    'problem.batchSize',
    /2048 is more than the \d+ examples that are left for training with an imbalance factor of 1000/,
  ],
  [
    'an imbalance that leaves a class without examples',
    { problem: { imbalanceFactor: 1e5 } },
    'problem.imbalanceFactor',
    /100000 leaves class \d no example/,
  ],
  ['no steps', { training: { steps: 0 } }, 'training.steps', /0 is not a positive number of steps/],
  ['negative steps', { training: { steps: -20 } }, 'training.steps', /-20 is not a positive number of steps/],
  [
    'steps that are not a multiple of the window',
    { training: { steps: 30 } },
    'training.steps',
    /30 is not a multiple of method\.window = 20; 40 is/,
  ],
  [
    'more steps than the server allows',
    { training: { steps: 2 * MAX_STEPS } },
    'training.steps',
    /20000 is above this server's limit, 10000/,
  ],
  ['a seed twice', { training: { seeds: [1, 2, 1] } }, 'training.seeds', /repeated/],
  [
    'more seeds than a study may have trials',
    { training: { seeds: Array.from({ length: 65 }, (_, i) => i) } },
    'training.seeds',
    /65 seeds are more than the 64/,
  ],
  [
    'an unknown data set',
    { problem: { dataset: 'imagenet' } },
    'problem.dataset',
    /unknown data set "imagenet"; one of fashion-mnist-10k/,
  ],
  [
    'an unknown model',
    { problem: { model: 'transformer' } },
    'problem.model',
    /unknown model "transformer"; one of .*lenet/,
  ],
  [
    'an unknown optimizer',
    { problem: { optimizer: 'lion' } },
    'problem.optimizer',
    /unknown optimizer "lion"; one of sgd/,
  ],
  ['a batch of a negative size', { problem: { batchSize: -1 } }, 'problem.batchSize', /-1 is not positive/],
  [
    'more validation examples than there are',
    { problem: { validationExamples: 10_000 } },
    'problem.validationExamples',
    /leaves nothing to train on/,
  ],
  ['no delays', { method: { dmd: { delays: 0 } } }, 'method.dmd.delays', /0 is not positive/],
  [
    'a rank between two whole numbers',
    { method: { dmd: { delays: 3, svdRank: 1.5 } } },
    'method.dmd.svdRank',
    /1\.5 is neither/,
  ],
  [
    'a tolerance of zero',
    { method: { dmd: { delays: 3, tolerance: 0 } } },
    'method.dmd.tolerance',
    /0 is not a positive number/,
  ],
  [
    'an outer rate of zero',
    { method: { outer: { rate: 0 } } },
    'method.outer.rate',
    /0 is not a positive number/,
  ],
  ['a decay of one', { method: { outer: { beta1: 1 } } }, 'method.outer.beta1', /1 is not in \[0, 1\)/],
  [
    'a display name that is too long',
    { displayName: 'x'.repeat(201) },
    'displayName',
    /has 201 characters; at most 200/,
  ],
];

describe.each(faults)('%s', (_what, changes, field, description) => {
  const spec = changed(changes);
  const expected = {
    code: 'INVALID_ARGUMENT',
    fieldViolations: [{ field, description: expect.stringMatching(description) }],
  };

  it('is refused, with the one field that is wrong', async () => {
    expect(await rejection(trainer.client.studies.create(spec))).toMatchObject(expected);
  });

  it('is refused by validate alike', async () => {
    expect(await rejection(trainer.client.studies.validate(spec))).toMatchObject(expected);
  });
});

it('everything that a client can know is named at once, before a call', async () => {
  const wrong = changed({
    space: { lr: lr({ init: 2 }), dropout: fixed(0.5) },
    problem: { dataset: 'imagenet', model: 'transformer' },
    training: { steps: 0 },
    method: { sigma: 3 },
  });
  const error = await rejection(trainer.client.studies.create(wrong));
  expect(error).toMatchObject({ reason: 'STUDY', requestId: undefined });
  expect(error.fieldViolations.map(({ field }) => field)).toEqual([
    'method.sigma',
    'training.steps',
    'space.lr.init',
  ]);
});

it('everything that the server knows is named at once, one line each', async () => {
  const wrong = changed({
    space: { lr: lr({}), dropout: fixed(0.5) },
    problem: { dataset: 'imagenet', model: 'transformer' },
    training: { steps: 2 * MAX_STEPS },
  });
  const error = await rejection(trainer.client.studies.create(wrong));
  expect(error.reason).toBe('STUDY');
  expect(error.fieldViolations.map(({ field }) => field)).toEqual([
    'problem.dataset',
    'problem.model',
    'training.steps',
    'space.dropout',
  ]);
  expect(String(error).split('\n')).toEqual([
    expect.stringMatching(/^GlocalError INVALID_ARGUMENT \(STUDY\) request \S+$/),
    ...error.fieldViolations.map(({ field, description }) => `  ${field}: ${description}`),
  ]);
});

it('faults of the search space alone have a reason of their own', async () => {
  const error = await rejection(trainer.client.studies.create(changed({ space: { lr: lr({ init: 2 }) } })));
  expect(error.reason).toBe('SEARCH_SPACE');
});

it('the request of a refused study is found under its id in the log', async () => {
  await using noisy = await TestTrainer.start({ args: ['--log-level', 'debug'] });
  const { requestId } = await rejection(
    noisy.client.studies.create(changed({ problem: { dataset: 'none' } })),
  );
  await expect
    .poll(() => noisy.log.find((line) => line.includes(requestId ?? 'none')))
    .toContain('INVALID_ARGUMENT');
});

it('nothing of all that was stored', async () => {
  await rejection(trainer.client.studies.create(changed({ training: { steps: 0 } })));
  expect(await Array.fromAsync(trainer.client.studies.list())).toEqual([]);
});

it('validate stores nothing of a good study either, and fills its defaults in', async () => {
  const { space, problem, training, method } = await trainer.client.studies.validate({
    space: quickStudy().space,
    problem: { dataset: 'fashion-mnist-10k', model: 'lenet', optimizer: 'sgd' },
    training: { steps: 100 },
    method: { estimator: 'glocal' },
  });
  const { lr, momentum, weightDecay } = quickStudy().space.parameters;
  expect(space.parameters).toEqual({ lr, momentum: { ...momentum, scale: 'logit' }, weightDecay });
  expect(problem).toMatchObject({ batchSize: 128, validationExamples: 1_000 });
  expect(training).toEqual({ steps: 100, seeds: [0] });
  expect(method).toMatchObject({
    window: 50,
    sigma: 7,
    stride: 3,
    dmd: { variant: 'affine', delays: 2, svdRank: 3, tolerance: 0.1, scaling: 'component' },
    outer: { rate: 0.6, beta1: 0.7, beta2: 0.9, epsilon: 0.01 },
  });
  expect(await Array.fromAsync(trainer.client.studies.list())).toEqual([]);
});

describe('a request id', () => {
  const requestId = 'nightly/2024-05-01';
  const spec = quickStudy({ estimator: 'fixed', outerSteps: 1 });

  it('makes a study once, however often and from wherever it is sent', async () => {
    await using twin = new GlocalClient({ address: trainer.address });
    const [study, ...others] = await Promise.all(
      [trainer.client, twin, trainer.client].map(({ studies }) => studies.create(spec, { requestId })),
    );
    expect(others.map(({ name }) => name)).toEqual([study?.name, study?.name]);
    await study?.result();
    expect(await twin.studies.create(spec, { requestId })).toMatchObject({ name: study?.name });
    const listed = await Array.fromAsync(trainer.client.studies.list());
    expect(listed.map(({ name }) => name)).toEqual([study?.name]);
  });

  it('cannot be used for another study', async () => {
    const other = quickStudy({ estimator: 'fixed', outerSteps: 2 });
    expect(await rejection(trainer.client.studies.create(other, { requestId }))).toMatchObject({
      code: 'ALREADY_EXISTS',
      reason: 'REQUEST_ID_REUSED',
      message: expect.stringContaining(requestId),
    });
  });

  it('has at most 128 characters', async () => {
    const error = await rejection(trainer.client.studies.create(spec, { requestId: 'x'.repeat(129) }));
    expect(error).toMatchObject({
      code: 'INVALID_ARGUMENT',
      fieldViolations: [{ field: 'requestId', description: expect.stringContaining('1 to 128 characters') }],
    });
  });
});
