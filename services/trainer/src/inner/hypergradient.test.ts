import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { isNativeInstalled } from '../backend/native-runtime.ts';
import { type BackendName, initBackend } from '../backend/select.ts';
import type { LearnedComponent } from './hyperparameter.ts';
import { getOptimizer, listOptimizers } from './registry.ts';
import { initialNetwork } from './reweighting.ts';
import {
  CLASS_SHARES,
  differentiate,
  expectNothingLeftBehind,
  hostExamples,
  moved,
  onBackend,
  perceptron,
  type ReferenceTraining,
  type ReferenceValues,
  referenceLoss,
  referenceRun,
  relativeError,
} from './testing.ts';
import { type Differentiation, TrainingRun } from './training-run.ts';

const installed: BackendName[] = isNativeInstalled() ? ['tensorflow', 'wasm'] : ['wasm'];

beforeAll(() => tf.setBackend('cpu'));

expectNothingLeftBehind();

const STEPS = 6;
const SEED = 3;
/** dvalue/dphi of component k; any numbers do. */
const slope = (k: number): number => 0.5 + 0.25 * k;

const WHOLE: Differentiation[] = [
  { method: 'forward' },
  { method: 'forward', chunk: 2 },
  { method: 'reverse', steps: STEPS },
];

/** Every entry of the named values. */
const entriesOf = (names: readonly string[], values: ReferenceValues): LearnedComponent[] =>
  names.flatMap((name) => (values[name] ?? []).map((_, index) => ({ name, index })));

const training = (options: Partial<ReferenceTraining>): ReferenceTraining => ({
  optimizer: 'sgd',
  theta: perceptron.initialise(SEED),
  batches: Array.from({ length: STEPS }, (_, t) => hostExamples(5, SEED + 10 * t)),
  held: hostExamples(7, SEED + 1000),
  ...options,
});

/** The product's hypergradient after the last step, with a new window begun (and Z kept by its share) before some steps. */
function found(
  setup: ReferenceTraining,
  learned: readonly LearnedComponent[],
  values: ReferenceValues,
  differentiation: Differentiation,
  windows: Readonly<Record<number, number>> = {},
): Float64Array {
  const { averaging, reweighting, theta, batches, held } = setup;
  const run = new TrainingRun({
    model: perceptron,
    optimizer: getOptimizer(setup.optimizer),
    weights: Float32Array.from(theta),
    learned,
    differentiation,
    loss: { classShares: CLASS_SHARES, ...(reweighting && { reweighting }) },
    ...(averaging !== undefined && { averaging, evaluation: 'averaged' as const }),
  });
  try {
    batches.forEach((batch, t) => {
      if (t in windows) run.startWindow(windows[t]);
      run.step(
        onBackend(batch),
        values,
        learned.map((_, k) => slope(k)),
      );
    });
    const now = run.hypergradient(onBackend(held));
    return now ?? (run.endWindow()[0] as Float64Array);
  } finally {
    run.dispose();
  }
}

/** By differences of whole runs in double precision, where only the values of some steps move, with these weights. */
function expected(
  setup: ReferenceTraining,
  learned: readonly LearnedComponent[],
  values: ReferenceValues,
  weightOf: (step: number) => number = () => 1,
): number[] {
  // The shares of an average are constants of the derivative.
  const constant = { averageValues: values, ...setup };
  return learned.map(
    ({ name, index }, k) =>
      slope(k) *
      differentiate((by) =>
        referenceLoss(constant, (step) => moved(values, name, index, by * weightOf(step))),
      ),
  );
}

/** Errors of each hyperparameter, relative to its largest component. */
function errors(learned: readonly LearnedComponent[], is: Float64Array, should: readonly number[]) {
  const names = [...new Set(learned.map(({ name }) => name))];
  return Object.fromEntries(
    names.map((name) => {
      const of = (numbers: ArrayLike<number>) =>
        Array.from(numbers).filter((_, k) => learned[k]?.name === name);
      return [name, relativeError(of(is), of(should))];
    }),
  );
}

function expectAgreement(
  setup: ReferenceTraining,
  values: ReferenceValues,
  names: readonly string[],
  differentiations: readonly Differentiation[] = WHOLE,
): void {
  const learned = entriesOf(names, values);
  const should = expected(setup, learned, values);
  for (const differentiation of differentiations) {
    const is = found(setup, learned, values, differentiation);
    for (const [name, error] of Object.entries(errors(learned, is, should))) {
      expect(error, `${name} by ${JSON.stringify(differentiation)}`).toBeLessThanOrEqual(1e-4);
    }
  }
}

/** Values inside each domain, and not at a default; the second, where there is one, is for the second layer. */
const VALUES: Readonly<Record<string, readonly number[]>> = {
  lr: [0.15, 0.1],
  momentum: [0.7, 0.5],
  weightDecay: [0.02, 0.05],
  rho: [0.8, 0.9],
  beta: [0.8, 0.6],
  beta1: [0.8, 0.9],
  beta2: [0.95, 0.99],
  epsilon: [0.01, 0.02],
  d0: [0.001],
};

describe.each(listOptimizers().map(({ id, hyperparameters }) => [id, hyperparameters] as const))(
  'hypergradients of %s agree with differences of whole runs in double precision',
  (optimizer, hyperparameters) => {
    const names = hyperparameters.filter(({ isSetting }) => !isSetting).map(({ name }) => name);
    const small = optimizer.startsWith('sgd') || ['schedule-free', 'prodigy'].includes(optimizer) ? 1 : 0.2;
    const values = (count: number): ReferenceValues =>
      Object.fromEntries(
        names.map((name) => {
          const factor = name === 'lr' ? small : 1;
          return [name, (VALUES[name] ?? []).slice(0, count).map((value) => value * factor)];
        }),
      );

    it('with one value for all weights', () => {
      expectAgreement(training({ optimizer }), values(1), names);
    });

    it('with one value for each layer', () => {
      expectAgreement(training({ optimizer }), values(2), names);
    });

    it.each([1, 2])('taken at averaged weights, with values for %d layers', (count) => {
      expectAgreement(training({ optimizer, averaging: 0.8 }), values(count), names);
    });

    it.each(names)('when only %s differs by layer and is learned', (name) => {
      const mixed = { ...values(1), [name]: values(2)[name] ?? [] };
      expectAgreement(training({ optimizer }), mixed, [name]);
    });
  },
);

describe.each(['adam', 'adamw', 'rmsprop'])('hypergradients of %s agree at its usual values', (optimizer) => {
  it('of the optimizer and of a penalty, where steps are nearly signs of the gradient', () => {
    const usual = optimizer === 'rmsprop' ? { rho: [0.99] } : { beta1: [0.9], beta2: [0.999] };
    const values = { lr: [0.01], ...usual, weightDecay: [0.01], l2: [0.01] };
    expectAgreement(training({ optimizer }), { ...values, epsilon: [1e-8] }, Object.keys(values));
  });
});

describe('hypergradients of prodigy agree while its estimate grows', () => {
  const values = { lr: [1], beta1: [0.9], beta2: [0.999], weightDecay: [0.02], epsilon: [0.01], d0: [1e-4] };

  it.each([undefined, 0.8])('which it does with every hyperparameter (average %s)', (averaging) => {
    const setup = training({ optimizer: 'prodigy', ...(averaging !== undefined && { averaging }) });
    expect(referenceRun(setup, () => values).distance, 'it grows').toBeGreaterThan(1.4e-4);
    expectAgreement(setup, values, ['lr', 'beta1', 'beta2', 'weightDecay', 'epsilon']);
  });
});

describe('hypergradients of the loss agree with differences of whole runs in double precision', () => {
  const SGD = { lr: [0.3], momentum: [0.5] };
  const REWEIGHTINGS = [
    { hidden: 3, detached: false },
    { hidden: 3, detached: true },
  ];
  const network = (hidden: number) => [...initialNetwork({ hidden }, 5)];

  it.each<[string, ReferenceValues]>([
    ['labelSmoothing', { labelSmoothing: [0.1] }],
    ['classWeights', { classWeights: [0.5, 1.5, 2] }],
    ['relativeClassWeights', { relativeClassWeights: [0.5, 1.5, 2] }],
    ['l2', { l2: [0.03] }],
    ['l2', { l2: [0.03, 0.01] }],
  ])('%s %j', (name, values) => {
    expectAgreement(training({}), { ...SGD, ...values }, [name]);
  });

  it('all at their defaults, where only the derivative shows', () => {
    const loss = { labelSmoothing: [0], classWeights: [1, 1, 1], relativeClassWeights: [1, 1, 1], l2: [0] };
    expectAgreement(training({}), { ...SGD, ...loss }, Object.keys(loss));
  });

  it.each(REWEIGHTINGS)('the weights of a meta-module %j', (reweighting) => {
    const values = { ...SGD, reweighting: network(reweighting.hidden) };
    expectAgreement(training({ reweighting }), values, ['reweighting']);
  });

  it.each(REWEIGHTINGS)('everything together with Adam at averaged weights %j', (reweighting) => {
    const values = {
      lr: [0.05, 0.03],
      beta1: [0.8],
      epsilon: [0.01],
      labelSmoothing: [0.1],
      classWeights: [0.5, 1.5, 2],
      relativeClassWeights: [2, 0.5, 1],
      l2: [0.03, 0.01],
      reweighting: network(reweighting.hidden),
    };
    const setup = training({ optimizer: 'adam', averaging: 0.8, reweighting });
    expectAgreement(setup, values, Object.keys(values));
  });
});

describe.each([
  ['sgd', { momentum: [0.5] }],
  ['schedule-free', { beta: [0.5] }],
  ['schedule-free-adamw', { beta: [0.5], epsilon: [0.01] }],
])('from window to window with %s', (optimizer, own) => {
  const lr = [optimizer === 'schedule-free-adamw' ? 0.06 : 0.3];
  const values: ReferenceValues = { lr, weightDecay: [0.02], labelSmoothing: [0.1], ...own };
  const learned = entriesOf(Object.keys(values), values);
  const at = (averaging: number | undefined) =>
    training(averaging === undefined ? { optimizer } : { optimizer, averaging });

  it.each([
    [0, undefined],
    [0.5, undefined],
    [1, undefined],
    [0, 0.8],
    [0.5, 0.8],
  ])('earlier steps count with the discount %d (average %s)', (discount, averaging) => {
    const setup = at(averaging);
    const should = expected(setup, learned, values, (step) => (step < 4 ? discount : 1));
    const is = found(setup, learned, values, { method: 'forward', chunk: 3 }, { 4: discount });
    for (const error of Object.values(errors(learned, is, should))) expect(error).toBeLessThanOrEqual(1e-4);
  });

  it.each([undefined, 0.8])('reverse mode counts the steps of its window only (average %s)', (averaging) => {
    const setup = at(averaging);
    const should = expected(setup, learned, values, (step) => (step < 4 ? 0 : 1));
    const is = found(setup, learned, values, { method: 'reverse', steps: STEPS }, { 4: 0 });
    for (const error of Object.values(errors(learned, is, should))) expect(error).toBeLessThanOrEqual(1e-4);
  });

  it.each([undefined, 0.8])('reverse mode over 2 steps counts the last 2 only (average %s)', (averaging) => {
    const setup = at(averaging);
    const should = expected(setup, learned, values, (step) => (step < STEPS - 2 ? 0 : 1));
    const is = found(setup, learned, values, { method: 'reverse', steps: 2 });
    for (const error of Object.values(errors(learned, is, should))) expect(error).toBeLessThanOrEqual(1e-4);
  });
});

// Last, for the backend stays in use.
describe.each(installed)(
  'hypergradients on backend %s agree with differences in double precision',
  (backend) => {
    beforeAll(() => initBackend({ backend, log: () => {} }));

    it.each(['sgd', 'rmsprop', 'adamw', 'schedule-free', 'prodigy'])(
      'of %s and the loss together',
      (optimizer) => {
        const reweighting = { hidden: 3, detached: true };
        const values = {
          lr: [0.05, 0.03],
          weightDecay: [0.02],
          labelSmoothing: [0.1],
          classWeights: [0.5, 1.5, 2],
          relativeClassWeights: [2, 0.5, 1],
          l2: [0.03, 0.01],
          reweighting: [...initialNetwork(reweighting, 5)],
          ...(['rmsprop', 'adamw', 'prodigy'].includes(optimizer) && { epsilon: [0.01] }),
        };
        expectAgreement(training({ optimizer, reweighting }), values, Object.keys(values));
      },
    );
  },
);
