import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { noise } from '../ad/rules/rule-case.ts';
import { adam, adamw } from './adam.ts';
import type { InnerOptimizer, Rows } from './optimizer.ts';
import { prodigy } from './prodigy.ts';
import { listOptimizers } from './registry.ts';
import { rmsprop } from './rms-prop.ts';
import { scheduleFreeAdamw } from './schedule-free.ts';
import { relativeError } from './testing.ts';
import type { Directions, Numbers, Update, UpdatePoint } from './update.ts';
import { generalUpdate } from './update-general.ts';
import { linearUpdates } from './update-linear.ts';
import { SHARE } from './weight-average.ts';

beforeAll(() => tf.setBackend('cpu'));

const P = 7;
const LAYERS = [
  { name: 'a', parameters: 1, size: 3 },
  { name: 'b', parameters: 1, size: 4 },
];

const rows = (count: number, seed: number): Rows =>
  tf.tensor2d(Array.from({ length: count }, (_, r) => numbers(P, seed + 0.1 * r)));

const numbers = (count: number, seed: number): number[] =>
  Array.from({ length: count }, (_, i) => 2 * noise(seed, i) - 1);

/** Mean squares are not negative, as in training. */
const pointOf = ({ buffers }: InnerOptimizer, seed: number): UpdatePoint => ({
  state: [
    rows(1, seed),
    ...buffers.map((name, i) => {
      const buffer = rows(1, seed + 1 + i);
      return name === 'meanSquare' ? tf.abs(buffer) : buffer;
    }),
  ] as Rows[],
  gradient: rows(1, seed + 10),
});

/** Names of the hyperparameters that enter an update. */
const entering = ({ hyperparameters }: InnerOptimizer): string[] =>
  hyperparameters.filter(({ isSetting }) => !isSetting).map(({ name }) => name);

const valuesOf = (optimizer: InnerOptimizer, seed: number): Numbers =>
  new Map(
    [...entering(optimizer), ...(optimizer.average ? [SHARE] : [])].map((name, i) => [
      name,
      Float64Array.of(0.1 + 0.5 * noise(seed, i)),
    ]),
  );

const directionsOf = (optimizer: InnerOptimizer, count: number, seed: number): Directions => ({
  count,
  state: [0, ...optimizer.buffers].map((_, i) => rows(count, seed + 20 + i)),
  gradient: rows(count, seed + 30),
  values: new Map(
    entering(optimizer).map((name, i) => [name, Float64Array.from(numbers(count, seed + 40 + i))]),
  ),
});

const read = (tensors: readonly tf.Tensor[]): number[] => tensors.flatMap((tensor) => [...tensor.dataSync()]);

function expectSameValues(is: Numbers, should: Numbers, names: readonly string[]): void {
  for (const name of names) {
    expect(relativeError(is.get(name) ?? [], should.get(name) ?? [Number.NaN]), name).toBeLessThan(1e-5);
  }
}

/** Where the gradient is taken, and its derivatives, if that is not at the weights. */
function expectSamePoint(is: Update, should: Update, { state }: UpdatePoint, directions: Directions): void {
  expect(is.gradientPoint === undefined).toBe(should.gradientPoint === undefined);
  if (!is.gradientPoint || !should.gradientPoint) return;
  const applied = read([is.gradientPoint.apply(state)]);
  expect(relativeError(applied, read([should.gradientPoint.apply(state)]))).toBeLessThan(1e-5);
  const [pushed, expected] = [is, should].map((update) =>
    update.gradientPoint?.pushforward(state, directions),
  );
  expect(relativeError(read(pushed ? [pushed.point] : []), applied)).toBeLessThan(1e-6);
  const [directed, expectedDirected] = [pushed, expected].map((each) => read(each ? [each.directions] : []));
  expect(relativeError(directed ?? [], expectedDirected ?? [])).toBeLessThan(1e-5);
}

const LINEAR = listOptimizers().filter(({ isLinear }) => isLinear);

describe.each(LINEAR.map((optimizer) => [optimizer.id, optimizer] as const))(
  'the matrices of %s do what differentiating its update does',
  (_id, optimizer) => {
    it.each<[string, (directions: Directions) => Directions]>([
      ['all directions', (directions) => directions],
      ['no directions of the state', (directions) => ({ ...directions, state: null })],
      ['no directions of the gradient', (directions) => ({ ...directions, gradient: null })],
      ['directions of the values alone', (directions) => ({ ...directions, state: null, gradient: null })],
      ['directions of the state alone', (directions) => ({ ...directions, values: new Map() })],
    ])('pushing %s forward', (_what, some) => {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 4 }), fc.nat(1000), (count, seed) => {
          tf.tidy(() => {
            const point = pointOf(optimizer, seed);
            const values = valuesOf(optimizer, seed);
            const directions = some(directionsOf(optimizer, count, seed));
            const linear = linearUpdates(optimizer)(values);
            const general = generalUpdate(optimizer, LAYERS, values);
            const [is, should] = [linear, general].map((update) => update.pushforward(point, directions));
            expect(relativeError(read(is?.state ?? []), read(should?.state ?? []))).toBeLessThan(1e-5);
            expect(relativeError(read(is?.directions ?? []), read(should?.directions ?? []))).toBeLessThan(
              1e-5,
            );
            expect(relativeError(read(linear.apply(point)), read(general.apply(point)))).toBeLessThan(1e-5);
            expectSamePoint(linear, general, point, directions);
          });
        }),
        { numRuns: 5 },
      );
    });

    it('pulling adjoints back', () => {
      tf.tidy(() => {
        const point = pointOf(optimizer, 3);
        const values = valuesOf(optimizer, 3);
        const adjoints = point.state.map((_, i) => rows(3, 50 + i));
        const names = entering(optimizer);
        const is = linearUpdates(optimizer)(values).pullback(point, adjoints, names);
        const should = generalUpdate(optimizer, LAYERS, values).pullback(point, adjoints, names);
        expect(relativeError(read(is.state), read(should.state))).toBeLessThan(1e-5);
        expect(relativeError(read([is.gradient]), read([should.gradient]))).toBeLessThan(1e-5);
        expectSameValues(is.values, should.values, names);
        const updates = [linearUpdates(optimizer)(values), generalUpdate(optimizer, LAYERS, values)];
        const [atPoint, general] = updates.map(({ gradientPoint }) =>
          gradientPoint?.pullback(point.state, rows(3, 60), names),
        );
        if (!atPoint || !general) return;
        expect(relativeError(read(atPoint.state), read(general.state))).toBeLessThan(1e-5);
        expectSameValues(atPoint.values, general.values, ['beta']);
      });
    });
  },
);

it('a weight decay far below the precision of float32 still moves the weights', () => {
  const [sgd] = LINEAR as [InnerOptimizer];
  const values: Numbers = new Map([
    ['lr', Float64Array.of(1e-3)],
    ['momentum', Float64Array.of(0)],
    ['weightDecay', Float64Array.of(1e-6)],
  ]);
  const point = {
    state: [tf.fill([1, P], 1e-3), tf.zeros([1, P])] as Rows[],
    gradient: tf.zeros([1, P]) as Rows,
  };
  const directions = { count: 1, state: null, gradient: null, values: new Map([['lr', Float64Array.of(1)]]) };
  const { directions: moved } = linearUpdates(sgd)(values).pushforward(point, directions);
  expect(moved[0]?.dataSync()[0]).toBeCloseTo(-1e-9, 14);
});

describe.each(
  [adam, adamw, rmsprop, scheduleFreeAdamw, prodigy].map((optimizer) => [optimizer.id, optimizer] as const),
)('%s with dead units, whose gradients have always been 0', (_id, optimizer) => {
  const dead: UpdatePoint = {
    state: [tf.ones([1, P]), ...optimizer.buffers.map(() => tf.zeros([1, P]))] as Rows[],
    gradient: tf.zeros([1, P]),
  };

  it.each([0, 1e-8])('has finite derivatives at epsilon %d', (epsilon) => {
    const values: Numbers = new Map([...valuesOf(optimizer, 1), ['epsilon', Float64Array.of(epsilon)]]);
    const update = generalUpdate(optimizer, LAYERS, values);
    tf.tidy(() => {
      const directions = { ...directionsOf(optimizer, 2, 1), gradient: null, state: null };
      const pushed = update.pushforward(dead, directions);
      expect(read([...pushed.state, ...pushed.directions]).every(Number.isFinite)).toBe(true);
      const pulled = update.pullback(
        dead,
        dead.state.map((_, i) => rows(2, i)),
        entering(optimizer),
      );
      expect(read([...pulled.state, pulled.gradient]).every(Number.isFinite)).toBe(true);
      expect([...pulled.values.values()].flatMap((x) => [...x]).every(Number.isFinite)).toBe(true);
    });
  });
});

describe('the share of the newest gradient in Adam', () => {
  const shareOf = (beta: number, t: number) => adam.enters?.beta1?.(beta, t);

  it('is (1 − β)/(1 − β^t), with its derivative', () => {
    for (const [beta, t] of [
      [0.9, 1],
      [0.9, 2],
      [0.5, 7],
      [0.999, 40],
    ] as const) {
      const share = (x: number) => (1 - x) / (1 - x ** t);
      expect(shareOf(beta, t)?.value).toBeCloseTo(share(beta), 12);
      const h = 1e-6;
      expect(shareOf(beta, t)?.slope).toBeCloseTo((share(beta + h) - share(beta - h)) / (2 * h), 5);
    }
  });

  it('has its limits at 0 and 1, and after very many steps', () => {
    expect(shareOf(0, 5)).toEqual({ value: 1, slope: -1 });
    expect(shareOf(1, 4)).toEqual({ value: 1 / 4, slope: -6 / 16 });
    expect(shareOf(0.9, 1e9)?.value).toBeCloseTo(0.1, 12);
    expect(shareOf(0.9, 1e9)?.slope).toBeCloseTo(-1, 10);
  });
});

it('pulls the rates of layers back in as many kernels, however many weights these have', async () => {
  const sgd = listOptimizers().find(({ id }) => id === 'sgd') as InnerOptimizer;
  const values: Numbers = new Map([
    ['lr', Float64Array.of(0.1, 0.2)],
    ['momentum', Float64Array.of(0.9)],
    ['weightDecay', Float64Array.of(0.01)],
  ]);
  const kernelsOf = async (size: number) => {
    const layers = ['a', 'b'].map((name) => ({ name, parameters: 1, size }));
    const row = () => tf.ones<tf.Rank.R2>([1, 2 * size]);
    const point = { state: [row(), row()], gradient: row() };
    const { kernels } = await tf.profile(() => {
      const pulled = generalUpdate(sgd, layers, values).pullback(point, [row(), row()], ['lr']);
      // A product of ones: η is in θ' = θ − η(μ + 1 + w), once for each weight.
      expect((pulled.values.get('lr')?.[1] ?? 0) / size).toBeCloseTo(-1.91, 4);
      return pulled.gradient;
    });
    return kernels.length;
  };
  expect(await kernelsOf(500)).toBe(await kernelsOf(5));
});
