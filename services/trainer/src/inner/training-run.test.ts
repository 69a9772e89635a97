import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { noise } from '../ad/rules/rule-case.ts';
import { logit } from '../hyper/coordinate.ts';
import { dense } from '../model/layers.ts';
import { defineModel } from '../model/model.ts';
import { InnerTrainingError } from './errors.ts';
import type { HyperparameterValues } from './hyperparameter.ts';
import type { Examples } from './loss.ts';
import { sgd } from './sgd.ts';
import { expectNothingLeftBehind } from './testing.ts';
import { TrainingRun, type TrainingRunOptions } from './training-run.ts';

const INPUTS = 4;
const CLASSES = 3;
const P = INPUTS * CLASSES + CLASSES;
const BATCH = 5;

/** Softmax regression: small enough to write out in double precision below. */
const model = defineModel({
  id: 'regression',
  description: 'Softmax regression',
  inputShape: [INPUTS],
  classes: CLASSES,
  parameters: [
    { name: 'kernel', shape: [INPUTS, CLASSES], fanIn: INPUTS },
    { name: 'bias', shape: [CLASSES], fanIn: INPUTS },
  ],
  apply: ([kernel, bias], x) => dense(x as tf.Tensor2D, kernel as tf.Tensor2D, bias as tf.Tensor1D),
});

/** An element that exists. */
function at<T>(list: ArrayLike<T>, i: number): T {
  if (i >= list.length) throw new RangeError(`${i} is past the end`);
  return list[i] as T;
}

/** Examples on the host. */
interface HostExamples {
  readonly x: number[][];
  readonly labels: number[];
}

function hostExamples(count: number, seed: number): HostExamples {
  return {
    x: Array.from({ length: count }, (_, i) =>
      Array.from({ length: INPUTS }, (_unused, j) => Math.fround(2 * noise(seed, i * INPUTS + j) - 1)),
    ),
    labels: Array.from({ length: count }, (_, i) => Math.floor(CLASSES * noise(seed + 1, i))),
  };
}

const onBackend = ({ x, labels }: HostExamples): Examples => ({
  x: tf.tensor2d(x),
  labels: tf.tensor1d(labels, 'int32'),
});

/** Mean cross-entropy and its gradient, in double precision. */
function regression(
  theta: readonly number[],
  { x, labels }: HostExamples,
): { loss: number; gradient: number[] } {
  const gradient = new Array<number>(P).fill(0);
  let loss = 0;
  x.forEach((row, i) => {
    const logits = Array.from({ length: CLASSES }, (_, c) =>
      row.reduce(
        (sum, value, j) => sum + value * at(theta, j * CLASSES + c),
        at(theta, INPUTS * CLASSES + c),
      ),
    );
    const normaliser = Math.log(logits.reduce((sum, z) => sum + Math.exp(z), 0));
    loss += (normaliser - at(logits, at(labels, i))) / x.length;
    logits.forEach((z, c) => {
      const residual = (Math.exp(z - normaliser) - (c === labels[i] ? 1 : 0)) / x.length;
      row.forEach((value, j) => {
        gradient[j * CLASSES + c] = at(gradient, j * CLASSES + c) + residual * value;
      });
      gradient[INPUTS * CLASSES + c] = at(gradient, INPUTS * CLASSES + c) + residual;
    });
  });
  return { loss, gradient };
}

const NAMES = ['lr', 'momentum', 'weightDecay'] as const;
const coordinate = logit(0, 1);

/** Validation loss after training from φ, in double precision. */
function finalLoss(
  phi: readonly number[],
  theta: readonly number[],
  batches: readonly HostExamples[],
  held: HostExamples,
) {
  const [lr, momentum, weightDecay] = phi.map((x) => coordinate.toNatural(x)) as [number, number, number];
  let weights = [...theta];
  let buffer = new Array<number>(P).fill(0);
  for (const batch of batches) {
    const { gradient } = regression(weights, batch);
    buffer = buffer.map((v, i) => momentum * v + at(gradient, i) + weightDecay * at(weights, i));
    weights = weights.map((w, i) => w - lr * at(buffer, i));
  }
  return regression(weights, held).loss;
}

function centralDifference(f: (phi: number[]) => number, phi: readonly number[], k: number): number {
  const step = 1e-4;
  const at = (distance: number) => f(phi.map((x, i) => (i === k ? x + distance : x)));
  return (at(step) - at(-step)) / (2 * step);
}

const valuesOf = (phi: readonly number[]): HyperparameterValues =>
  Object.fromEntries(NAMES.map((name, k) => [name, [coordinate.toNatural(at(phi, k))]]));

beforeAll(() => tf.setBackend('cpu'));

expectNothingLeftBehind();

const componentsOf = (names: readonly string[]) => names.map((name) => ({ name, index: 0 }));

/** A hypergradient of forward mode, which has it at once. */
function hypergradientOf(run: TrainingRun, held: Examples): Float64Array {
  const found = run.hypergradient(held);
  if (found === undefined) throw new Error('there is no hypergradient');
  return found;
}

/** Runs with a training run that is disposed afterwards. */
function withRun<T>(learned: readonly string[], use: (run: TrainingRun) => T, seed = 1): T {
  const run = new TrainingRun({
    model,
    optimizer: sgd,
    weights: model.initialise(seed),
    learned: componentsOf(learned),
  });
  try {
    return use(run);
  } finally {
    run.dispose();
  }
}

const PHI = [-1, 0.5, -3];
const SLOPES = PHI.map((phi) => coordinate.derivative(phi));
const batchOf = (seed: number) => onBackend(hostExamples(BATCH, seed));

describe('hypergradient', () => {
  it('agrees with differences of whole windows in double precision, for any choice of learned hyperparameters', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray([0, 1, 2], { minLength: 1 }),
        fc.tuple(
          fc.double({ min: -2, max: 0, noNaN: true }),
          fc.double({ min: -2, max: 2, noNaN: true }),
          fc.double({ min: -5, max: -1, noNaN: true }),
        ),
        fc.integer({ min: 1, max: 6 }),
        fc.nat(1000),
        (learned, phi, steps, seed) => {
          const batches = Array.from({ length: steps }, (_, t) => hostExamples(BATCH, seed + 10 * t));
          const held = hostExamples(7, seed + 1000);
          const weights = model.initialise(seed);
          const found = withRun(
            learned.map((k) => at(NAMES, k)),
            (run) => {
              const slopes = learned.map((k) => coordinate.derivative(at(phi, k)));
              for (const batch of batches) run.step(onBackend(batch), valuesOf(phi), slopes);
              return hypergradientOf(run, onBackend(held));
            },
            seed,
          );
          const loss = (point: number[]) => finalLoss(point, [...weights], batches, held);
          learned.forEach((k, row) => {
            const expected = centralDifference(loss, phi, k);
            expect(Math.abs(at(found, row) - expected)).toBeLessThanOrEqual(1e-4 * Math.abs(expected) + 1e-6);
          });
        },
      ),
      { numRuns: 40 },
    );
  });

  it('is zero before the first step, after a reset, and empty when nothing is learned', () => {
    const held = batchOf(50);
    withRun(NAMES, (run) => {
      expect([...hypergradientOf(run, held)]).toEqual([0, 0, 0]);
      run.step(batchOf(1), valuesOf(PHI), SLOPES);
      expect(hypergradientOf(run, held)[0]).not.toBe(0);
      run.startWindow();
      expect([...hypergradientOf(run, held)]).toEqual([0, 0, 0]);
    });
    withRun([], (run) => {
      run.step(batchOf(1), valuesOf(PHI), []);
      expect(hypergradientOf(run, held).length).toBe(0);
    });
  });

  it('counts only the steps since the last reset, but keeps their momentum', () => {
    const held = batchOf(50);
    withRun(NAMES, (long) => {
      long.step(batchOf(1), valuesOf(PHI), SLOPES);
      long.startWindow();
      const boundary = long.snapshot();
      long.step(batchOf(2), valuesOf(PHI), SLOPES);
      withRun(NAMES, (short) => {
        short.restore(boundary);
        short.step(batchOf(2), valuesOf(PHI), SLOPES);
        expect(hypergradientOf(short, held)).toEqual(hypergradientOf(long, held));
      });
    });
  });

  it('is the same over one chunk and over several', () => {
    const many = hostExamples(2500, 3);
    withRun(NAMES, (run) => {
      run.step(batchOf(1), valuesOf(PHI), SLOPES);
      const parts = [many.x.slice(0, 1000), many.x.slice(1000)].map((x, i) => ({
        x,
        labels: many.labels.slice(1000 * i, 1000 * i + x.length),
      }));
      const [first, second] = parts.map((part) => hypergradientOf(run, onBackend(part))) as [
        Float64Array,
        Float64Array,
      ];
      const whole = hypergradientOf(run, onBackend(many));
      whole.forEach((value, k) => {
        expect(value).toBeCloseTo(0.4 * at(first, k) + 0.6 * at(second, k), 6);
      });
    });
  });
});

describe('step', () => {
  it('moves the weights alike whether anything is learned or not', () => {
    const trained = [[], ['momentum'], NAMES].map((learned) =>
      withRun(learned, (run) => {
        const slopes = SLOPES.slice(0, learned.length);
        for (let t = 0; t < 4; t++) run.step(batchOf(t), valuesOf(PHI), slopes);
        return run.snapshot().weights;
      }),
    );
    for (const weights of trained) {
      weights.forEach((w, i) => {
        expect(w).toBeCloseTo(at(at(trained, 0), i), 6);
      });
    }
  });

  it('takes the default of a hyperparameter that is not given', () => {
    const values: HyperparameterValues[] = [{ lr: [0.1] }, { lr: [0.1], momentum: [0], weightDecay: [0] }];
    const weights = values.map((given) =>
      withRun([], (run) => {
        run.step(batchOf(1), given, []);
        run.step(batchOf(2), given, []);
        return run.snapshot().weights;
      }),
    );
    expect(weights[0]).toEqual(weights[1]);
  });
});

describe('plainStep', () => {
  it('moves a run bit for bit as a step of one that learns nothing, and its average and loss', () => {
    const [plain, other] = [NAMES, []].map((learned) =>
      withRun(learned, (run) => {
        for (let t = 0; t < 4; t++) {
          if (learned.length > 0) run.plainStep(batchOf(t), valuesOf(PHI));
          else run.step(batchOf(t), valuesOf(PHI), []);
        }
        return run.snapshot();
      }),
    );
    expect(plain).toEqual(other);
  });

  it.each<TrainingRunOptions['differentiation']>([{ method: 'forward' }, { method: 'reverse', steps: 3 }])(
    'counts as given in hypergradients, as all before it does: %o',
    (differentiation) => {
      const held = batchOf(50);
      const options = { model, optimizer: sgd, weights: model.initialise(1) };
      const runs = [1, 2].map(
        () =>
          new TrainingRun({
            ...options,
            learned: componentsOf(NAMES),
            ...(differentiation && { differentiation }),
          }),
      ) as [TrainingRun, TrainingRun];
      const [sparse, dense] = runs;
      sparse.step(batchOf(1), valuesOf(PHI), SLOPES);
      sparse.plainStep(batchOf(2), valuesOf(PHI));
      dense.restore({ ...sparse.snapshot(), derivatives: null });
      const found = runs.map((run) => {
        run.step(batchOf(3), valuesOf(PHI), SLOPES);
        run.step(batchOf(4), valuesOf(PHI), SLOPES);
        return run.hypergradient(held) ?? run.endWindow()[0];
      });
      expect(found[0]).toEqual(found[1]);
      expect(found[0]?.[0]).not.toBe(0);
      for (const run of runs) run.dispose();
    },
  );
});

describe('takeTrainLoss', () => {
  it('is the mean loss before each step since the last time', () => {
    withRun([], (run) => {
      expect(run.takeTrainLoss()).toBeNaN();
      const losses = [1, 2, 3].map((seed) => {
        const { loss } = run.evaluate(batchOf(seed));
        run.step(batchOf(seed), { lr: [0.1] }, []);
        return loss;
      });
      expect(run.takeTrainLoss()).toBeCloseTo(losses.reduce((a, b) => a + b) / 3, 6);
      const { loss } = run.evaluate(batchOf(4));
      run.step(batchOf(4), { lr: [0.1] }, []);
      expect(run.takeTrainLoss()).toBeCloseTo(loss, 6);
    });
  });

  it('is not finite when a loss was not', () => {
    withRun([], (run) => {
      run.step(
        { x: tf.fill([BATCH, INPUTS], Number.NaN), labels: tf.zeros([BATCH], 'int32') },
        { lr: [0.1] },
        [],
      );
      run.step(batchOf(1), { lr: [0.1] }, []);
      expect(run.takeTrainLoss()).toBeNaN();
    });
  });
});

it('evaluate gives the loss in double precision, and the share of correct classes', () => {
  const host = hostExamples(2100, 9);
  withRun([], (run) => {
    const theta = [...run.snapshot().weights];
    const figures = run.evaluate(onBackend(host));
    expect(figures.loss).toBeCloseTo(regression(theta, host).loss, 5);
    const correct = host.x.filter((row, i) => {
      const losses = [0, 1, 2].map((label) => regression(theta, { x: [row], labels: [label] }).loss);
      return losses.indexOf(Math.min(...losses)) === host.labels[i];
    });
    expect(figures.accuracy).toBeCloseTo(correct.length / 2100, 6);
    expect(figures.examples).toBe(2100);
  });
});

describe('averaged weights', () => {
  it('follow the weights by their share after each step, across windows, and can be evaluated', () => {
    const host = hostExamples(9, 9);
    const run = new TrainingRun({
      model,
      optimizer: sgd,
      weights: model.initialise(1),
      learned: [],
      averaging: 0.75,
    });
    let expected = [...(run.snapshot().average ?? [])];
    expect(expected).toEqual([...run.snapshot().weights]);
    for (let t = 0; t < 4; t++) {
      run.step(batchOf(t), { lr: [0.5] }, []);
      const { weights } = run.snapshot();
      expected = expected.map((mean, i) => 0.75 * mean + 0.25 * at(weights, i));
      if (t === 1) run.startWindow();
    }
    const { average, weights } = run.snapshot();
    expect(average).not.toBeNull();
    average?.forEach((mean, i) => {
      expect(mean).toBeCloseTo(at(expected, i), 6);
    });
    const held = onBackend(host);
    expect(run.evaluate(held, 'averaged').loss).toBeCloseTo(regression(expected, host).loss, 6);
    expect(run.evaluate(held).loss).toBeCloseTo(regression([...weights], host).loss, 6);
    run.dispose();
  });
});

describe('what does not fit', () => {
  const step = (values: HyperparameterValues, batch = batchOf(1)) =>
    withRun([], (run) => run.step(batch, values, []));
  const start = (learned: string[], weights = model.initialise(1)) =>
    new TrainingRun({ model, optimizer: sgd, weights, learned: componentsOf(learned) });
  const configure = (options: Partial<TrainingRunOptions>) =>
    new TrainingRun({ model, optimizer: sgd, weights: model.initialise(1), learned: [], ...options });
  const withOptions = (options: Partial<TrainingRunOptions>, use: (run: TrainingRun) => unknown) => {
    const run = configure(options);
    try {
      return use(run);
    } finally {
      run.dispose();
    }
  };
  const reweighting = { hidden: 2, detached: true };

  it.each<[string, InnerTrainingError['reason'], RegExp, () => unknown]>([
    [
      'an unknown learned hyperparameter',
      'UNKNOWN_HYPERPARAMETER',
      /"beta".*lr, momentum/,
      () => start(['beta']),
    ],
    ['one that is learned twice', 'UNKNOWN_HYPERPARAMETER', /twice/, () => start(['lr', 'lr'])],
    ['too few weights', 'SHAPE_MISMATCH', /14 numbers.*15/, () => start([], new Float32Array(14))],
    ['a missing learning rate', 'UNKNOWN_HYPERPARAMETER', /lr has no default/, () => step({})],
    ['an unknown value', 'UNKNOWN_HYPERPARAMETER', /"rate"/, () => step({ lr: [0.1], rate: [1] })],
    ['a negative learning rate', 'OUT_OF_DOMAIN', /lr = -1/, () => step({ lr: [-1] })],
    ['a momentum above 1', 'OUT_OF_DOMAIN', /momentum = 1.5/, () => step({ lr: [0.1], momentum: [1.5] })],
    ['a value that is not a number', 'OUT_OF_DOMAIN', /NaN/, () => step({ lr: [Number.NaN] })],
    [
      'images of another shape',
      'SHAPE_MISMATCH',
      /\[5,3\]/,
      () => step({ lr: [1] }, { ...batchOf(1), x: tf.zeros([5, 3]) }),
    ],
    [
      'too few labels',
      'SHAPE_MISMATCH',
      /\[2\]/,
      () => step({ lr: [1] }, { ...batchOf(1), labels: tf.zeros([2], 'int32') }),
    ],
    [
      'labels of dtype float32',
      'SHAPE_MISMATCH',
      /int32/,
      () => step({ lr: [1] }, { ...batchOf(1), labels: tf.zeros([5]) }),
    ],
    [
      'an index that no grouping has',
      'WRONG_LENGTH',
      /lr\[2\].*at most 2/,
      () => configure({ learned: [{ name: 'lr', index: 2 }] }),
    ],
    [
      'an index that is not whole',
      'WRONG_LENGTH',
      /lr\[0\.5\]/,
      () => configure({ learned: [{ name: 'lr', index: 0.5 }] }),
    ],
    [
      'a meta-module that the loss has not',
      'UNKNOWN_HYPERPARAMETER',
      /"reweighting"/,
      () => configure({ learned: componentsOf(['reweighting']) }),
    ],
    [
      'a meta-module without weights',
      'UNKNOWN_HYPERPARAMETER',
      /reweighting has no default/,
      () => withOptions({ loss: { reweighting } }, (run) => run.step(batchOf(1), { lr: [1] }, [])),
    ],
    [
      'too few weights of a meta-module',
      'WRONG_LENGTH',
      /has 6 values; it takes 7/,
      () =>
        withOptions({ loss: { reweighting } }, (run) =>
          run.step(batchOf(1), { lr: [1], reweighting: new Float32Array(6) }, []),
        ),
    ],
    [
      'values for other layers',
      'WRONG_LENGTH',
      /lr has 3 values; it takes 1 or 2/,
      () => step({ lr: [1, 1, 1] }),
    ],
    [
      'a single class weight',
      'WRONG_LENGTH',
      /classWeights has 1 values; it takes 3/,
      () => step({ lr: [1], classWeights: [1] }),
    ],
    [
      'a class weight below 0',
      'OUT_OF_DOMAIN',
      /classWeights\[1\] = -1/,
      () => step({ lr: [1], classWeights: [1, -1, 1] }),
    ],
    [
      'a learned entry that has no value',
      'WRONG_LENGTH',
      /lr\[1\] is learned, but lr has 1/,
      () =>
        withOptions({ learned: [{ name: 'lr', index: 1 }] }, (run) => run.step(batchOf(1), { lr: [1] }, [1])),
    ],
    [
      'a missing derivative',
      'WRONG_LENGTH',
      /1 learned components have 0 derivatives/,
      () => withOptions({ learned: componentsOf(['lr']) }, (run) => run.step(batchOf(1), { lr: [1] }, [])),
    ],
    ['an average that never moves', 'OUT_OF_DOMAIN', /averaging is 1/, () => configure({ averaging: 1 })],
    [
      'a meta-module without units',
      'OUT_OF_DOMAIN',
      /hidden is 0/,
      () => configure({ loss: { reweighting: { hidden: 0, detached: true } } }),
    ],
    [
      'an empty chunk',
      'OUT_OF_DOMAIN',
      /chunk is 0/,
      () => configure({ differentiation: { method: 'forward', chunk: 0 } }),
    ],
    [
      'reverse mode over half a step',
      'OUT_OF_DOMAIN',
      /steps is 0\.5/,
      () => configure({ differentiation: { method: 'reverse', steps: 0.5 } }),
    ],
    [
      'a discount above 1',
      'OUT_OF_DOMAIN',
      /discount is 2/,
      () => withOptions({}, (run) => run.startWindow(2)),
    ],
    [
      'a discount in reverse mode',
      'UNSUPPORTED',
      /discount 0\.5 must be 0/,
      () => withOptions({ differentiation: { method: 'reverse', steps: 2 } }, (run) => run.startWindow(0.5)),
    ],
  ])('%s is refused', (_what, reason, message, attempt) => {
    expect(attempt).toThrow(InnerTrainingError);
    expect(attempt).toThrow(expect.objectContaining({ reason, message: expect.stringMatching(message) }));
  });
});
