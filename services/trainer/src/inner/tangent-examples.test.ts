import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { classification } from './classification.ts';
import { InnerTrainingError } from './errors.ts';
import type { LearnedComponent } from './hyperparameter.ts';
import type { Objective } from './objective.ts';
import { getOptimizer } from './registry.ts';
import { initialNetwork } from './reweighting.ts';
import { drawExamples, type TangentExamples } from './tangent-examples.ts';
import {
  at,
  expectNothingLeftBehind,
  hostExamples,
  onBackend,
  perceptron,
  type ReferenceValues,
  relativeError,
} from './testing.ts';
import { TrainingRun, type TrainingRunOptions } from './training-run.ts';

beforeAll(() => tf.setBackend('cpu'));

expectNothingLeftBehind();

const STEPS = 3;
const BATCH = 5;
const SEED = 3;
/** dvalue/dphi of component k; any numbers do. */
const slope = (k: number): number => 0.5 + 0.25 * k;

const SGD = { lr: [0.2], momentum: [0.5], weightDecay: [0.01] };
/** With every part that the training loss may have. */
const WITH_LOSS = {
  ...SGD,
  labelSmoothing: [0.1],
  classWeights: [0.5, 1, 2],
  relativeClassWeights: [2, 0.5, 1],
  l2: [0.05, 0.2],
  reweighting: Array.from(initialNetwork({ hidden: 2 }, 0)),
};
const LOSS = (detached: boolean) => ({ loss: { reweighting: { hidden: 2, detached } } });

const entriesOf = (values: ReferenceValues): LearnedComponent[] =>
  Object.entries(values).flatMap(([name, entries]) => entries.map((_, index) => ({ name, index })));

interface Setup extends Partial<TrainingRunOptions> {
  readonly values?: ReferenceValues;
  readonly batchSize?: number;
  /** Seed of the weights and of the examples. */
  readonly examples?: number;
}

const start = ({ values = SGD, examples: _, batchSize: _unused, ...options }: Setup): TrainingRun =>
  new TrainingRun({
    model: perceptron,
    optimizer: getOptimizer('sgd'),
    weights: perceptron.initialise(SEED),
    learned: entriesOf(values),
    ...options,
  });

const step = (run: TrainingRun, t: number, { values = SGD, batchSize = BATCH, examples = 0 }: Setup): void =>
  run.step(
    onBackend(hostExamples(batchSize, SEED + 10 * t + examples)),
    values,
    run.learned.map((_, k) => slope(k)),
  );

/** State after some steps, and the hypergradient there. */
function train(setup: Setup, steps = STEPS) {
  const run = start(setup);
  try {
    for (let t = 1; t <= steps; t++) step(run, t, setup);
    const now = run.hypergradient(onBackend(hostExamples(7, SEED + 1000)));
    return { ...run.snapshot(), hypergradient: now ?? at(run.endWindow(), 0) };
  } finally {
    run.dispose();
  }
}

const tangents = (count: number, seed = 0): { readonly tangentExamples: TangentExamples } => ({
  tangentExamples: { count, seed },
});

/** Which examples are drawn. */
const drawn = (batchSize: number, count: number, seed: number, t: number): string => {
  const found = drawExamples({ place: tf.range(0, batchSize, 1, 'int32') }, { count, seed }, t);
  return (found?.drawn?.place?.dataSync() ?? []).toSorted().join();
};

describe('drawing examples', () => {
  it('is a function of seed and step, and gives every part of the batch', () => {
    expect(drawn(8, 3, 1, 4)).toBe(drawn(8, 3, 1, 4));
    expect(drawn(8, 3, 2, 4)).not.toBe(drawn(8, 3, 1, 4));
    expect(drawn(8, 3, 1, 5)).not.toBe(drawn(8, 3, 1, 4));
    const parts = new Set(Array.from({ length: 100 }, (_, t) => drawn(4, 2, 0, t)));
    expect([...parts].toSorted()).toEqual(['0,1', '0,2', '0,3', '1,2', '1,3', '2,3']);
  });

  it('cuts each tensor in two', () => {
    const batch = onBackend(hostExamples(BATCH, 1));
    const { drawn: part, others, share } = drawExamples(batch, { count: 2, seed: 0 }, 1) ?? {};
    const rest = others?.();
    expect([share, part?.x?.shape[0], part?.labels?.dtype]).toEqual([0.4, 2, 'int32']);
    const rowsOf = (x: tf.Tensor | undefined) => x?.arraySync() as number[][];
    const together = [...rowsOf(part?.x), ...rowsOf(rest?.x)];
    expect(together.toSorted()).toEqual(rowsOf(batch.x).toSorted());
  });

  it('refuses a batch without a row for each example', () => {
    const batch = { x: tf.zeros([4, 2]), factor: tf.scalar(1) };
    const draw = () => drawExamples(batch, { count: 2, seed: 0 }, 1);
    expect(draw).toThrow(InnerTrainingError);
    expect(draw).toThrow('there are x of shape [4,2], factor of shape []');
  });
});

describe('second derivatives on a part of the batch', () => {
  /** Hypergradients and weights over each sequence of draws of the steps that have sensitivities, which begin with the second. */
  function overAllDraws(setup: Setup, count: number, sequences: number) {
    const { batchSize = BATCH } = setup;
    const found = new Map<string, ReturnType<typeof train>>();
    for (let seed = 0; found.size < sequences; seed++) {
      const sequence = [2, 3].map((t) => drawn(batchSize, count, seed, t)).join('|');
      if (!found.has(sequence)) found.set(sequence, train({ ...setup, ...tangents(count, seed) }));
    }
    return [...found.values()];
  }

  const mean = (rows: readonly ArrayLike<number>[]): number[] =>
    Array.from(at(rows, 0), (_, i) => rows.reduce((sum, row) => sum + at(row, i), 0) / rows.length);

  /** Rounding of float32 alone: the hypergradient is linear in the second derivatives of each step. */
  const TOLERANCE = 2e-5;

  it.each(['sgd', 'adam', 'rmsprop'])(
    'gives hypergradients of %s whose mean over all draws is the exact one',
    (optimizer) => {
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 99 }), (examples) => {
          const values = optimizer.startsWith('sgd')
            ? SGD
            : { lr: [0.05], weightDecay: [0.01], epsilon: [0.1] };
          const setup = { values, optimizer: getOptimizer(optimizer), batchSize: 3, examples };
          const all = overAllDraws(setup, 1, 9);
          const exact = train(setup).hypergradient;
          expect(relativeError(mean(all.map(({ hypergradient }) => hypergradient)), exact)).toBeLessThan(
            TOLERANCE,
          );
          expect(relativeError(at(all, 0).hypergradient, exact)).toBeGreaterThan(1e-3);
        }),
        { numRuns: 2 },
      );
    },
  );

  it.each([true, false])('does so for all that the training loss may learn, detached: %s', (detached) => {
    const setup = { ...LOSS(detached), values: WITH_LOSS, batchSize: 2 };
    // The hyperparameters of the loss have second derivatives in the first step, too.
    const sequences = new Map<string, Float64Array>();
    for (let seed = 0; sequences.size < 8; seed++) {
      const sequence = [1, 2, 3].map((t) => drawn(2, 1, seed, t)).join('|');
      if (!sequences.has(sequence)) {
        sequences.set(sequence, train({ ...setup, ...tangents(1, seed) }).hypergradient);
      }
    }
    const exact = train(setup).hypergradient;
    expect(relativeError(mean([...sequences.values()]), exact)).toBeLessThan(TOLERANCE);
  });

  it.each([
    ['the plain loss', {}],
    ['weighted examples', { ...LOSS(false), values: WITH_LOSS }],
    ['detached weights', { ...LOSS(true), values: WITH_LOSS }],
    ['reverse mode', { differentiation: { method: 'reverse', steps: STEPS } as const }],
  ])('moves the weights as the whole batch does: %s', (_, setup) => {
    const exact = train(setup);
    const part = train({ ...setup, ...tangents(2) });
    expect(relativeError(part.weights, exact.weights)).toBeLessThan(1e-6);
    expect(relativeError(part.average ?? [], exact.average ?? [])).toBeLessThan(1e-6);
    expect(part.trainLoss.sum).toBeCloseTo(exact.trainLoss.sum, 5);
  });

  it('sees each example once', () => {
    const seen: number[] = [];
    const model = {
      ...perceptron,
      apply: (parameters: readonly tf.Tensor[], x: tf.Tensor) => {
        seen.push(x.shape[0] ?? 0);
        return perceptron.apply(parameters, x);
      },
    };
    const setup = { model, ...tangents(2) };
    const run = start(setup);
    for (let t = 1; t <= STEPS; t++) step(run, t, setup);
    run.dispose();
    // In the first step there is no sensitivity yet.
    expect(seen).toEqual([BATCH, BATCH - 2, 2, BATCH - 2, 2]);
  });

  it.each([BATCH, BATCH + 1])('is exact bit for bit with %d of 5 examples', (count) => {
    for (const setup of [{}, { differentiation: { method: 'reverse', steps: STEPS } as const }]) {
      expect(train({ ...setup, ...tangents(count) })).toEqual(train(setup));
    }
  });

  it('leaves them out with no example', () => {
    const setup = tangents(0);
    const run = start(setup);
    const p = run.snapshot().weights.length;
    const [lr, momentum, weightDecay] = [SGD.lr[0], SGD.momentum[0], SGD.weightDecay[0]] as number[] as [
      number,
      number,
      number,
    ];
    // dv' = μ dv + w dθ + μ_j v + w_j θ, dθ' = dθ − η dv' − η_j v'
    let dTheta = Array.from({ length: 3 }, () => new Array<number>(p).fill(0));
    let dV = dTheta;
    for (let t = 1; t <= STEPS; t++) {
      const before = run.snapshot();
      step(run, t, setup);
      const after = at(run.snapshot().buffers, 0);
      const own = (j: number, k: number) => (j === k ? slope(k) : 0);
      dV = dV.map((row, j) =>
        row.map(
          (dv, i) =>
            momentum * dv +
            weightDecay * at(at(dTheta, j), i) +
            own(j, 1) * at(at(before.buffers, 0), i) +
            own(j, 2) * at(before.weights, i),
        ),
      );
      dTheta = dTheta.map((row, j) =>
        row.map((x, i) => x - lr * at(at(dV, j), i) - own(j, 0) * at(after, i)),
      );
    }
    const { derivatives, weights } = run.snapshot();
    run.dispose();
    const state = derivatives?.of === 'sensitivity' ? derivatives.state : [];
    expect(relativeError(at(state, 0), dTheta.flat())).toBeLessThan(1e-6);
    expect(relativeError(at(state, 1), dV.flat())).toBeLessThan(1e-6);
    expect(relativeError(weights, train({ learned: [] }).weights)).toBeLessThan(1e-6);
  });

  it('cannot be left out where nothing else moves a hyperparameter', () => {
    expect(() => start({ values: WITH_LOSS, ...LOSS(true), ...tangents(0) })).toThrow(
      'labelSmoothing acts through second derivatives alone',
    );
    expect(() => start(tangents(-1))).toThrow('tangentExamples is -1');
  });

  it.each([
    ['sgd', { ...LOSS(true), values: WITH_LOSS }, 2],
    ['adam', { ...LOSS(false), values: { ...WITH_LOSS, momentum: undefined } }, 2],
    ['sgd', { values: SGD, evaluation: 'averaged' as const }, 2],
    ['sgd', { values: SGD }, 0],
    ['adamw', { values: { lr: [0.05], beta1: [0.8], weightDecay: [0.01] } }, 0],
  ])('is the same in reverse as forward, and in chunks: %s %j %d', (optimizer, setup, count) => {
    const values = Object.fromEntries(Object.entries(setup.values).filter(([, entries]) => entries));
    const whole = { ...setup, ...tangents(count), values, optimizer: getOptimizer(optimizer) } as Setup;
    const forward = train(whole);
    const inChunks = train({ ...whole, differentiation: { method: 'forward', chunk: 2 } });
    const reverse = train({ ...whole, differentiation: { method: 'reverse', steps: STEPS } });
    expect(relativeError(inChunks.hypergradient, forward.hypergradient)).toBeLessThan(1e-5);
    expect(relativeError(reverse.hypergradient, forward.hypergradient)).toBeLessThan(1e-4);
  });

  it.each([{ method: 'forward' } as const, { method: 'reverse', steps: STEPS } as const])(
    'goes on from a snapshot bit for bit: $method',
    (differentiation) => {
      const setup = { ...tangents(2), differentiation };
      const first = start(setup);
      step(first, 1, setup);
      step(first, 2, setup);
      const other = start(setup);
      other.restore(first.snapshot());
      step(other, 3, setup);
      const hypergradient = other.hypergradient(onBackend(hostExamples(7, SEED + 1000)));
      const resumed = { ...other.snapshot(), hypergradient: hypergradient ?? at(other.endWindow(), 0) };
      for (const run of [first, other]) run.dispose();
      expect(resumed).toEqual(train(setup));
    },
  );

  it('takes the gradient of the whole batch where the loss need not be a mean', () => {
    const mean = classification(perceptron, {});
    const objective: Objective = {
      ...mean,
      isMean: false,
      trainingLoss: (batch) => {
        const loss = mean.trainingLoss(batch);
        return { value: (parameters, inputs) => tf.exp(loss.value(parameters, inputs)) };
      },
    };
    const weightsOf = (learned: readonly LearnedComponent[]) => {
      const weights = perceptron.initialise(SEED);
      const shared = { objective, optimizer: getOptimizer('sgd'), weights, learned };
      const run = new TrainingRun({ ...shared, ...tangents(2) });
      for (let t = 1; t <= STEPS; t++) step(run, t, {});
      const snapshot = run.snapshot();
      run.dispose();
      return snapshot.weights;
    };
    expect(relativeError(weightsOf(entriesOf(SGD)), weightsOf([]))).toBeLessThan(1e-6);
  });
});
