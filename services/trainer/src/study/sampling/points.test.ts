import {
  type Choice,
  FixedParameter,
  Sampling,
  SamplingMethod,
  type SearchSpace,
} from '@glocal/proto/glocal/v1/study';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { axesOf, combinations } from './axes.ts';
import { takePoints } from './points.ts';

const { GRID, RANDOM, SOBOL } = SamplingMethod;

type Kind = NonNullable<SearchSpace['parameters'][number]['kind']>;

const kinds: fc.Arbitrary<Kind> = fc.oneof(
  fc.constant({ $case: 'bool' as const, value: {} }),
  fc
    .uniqueArray(fc.integer(), { minLength: 1, maxLength: 6 })
    .map((values) => ({ $case: 'discrete' as const, value: { values } })),
  fc
    .uniqueArray(fc.string(), { minLength: 1, maxLength: 6 })
    .map((values) => ({ $case: 'categorical' as const, value: { values } })),
  fc
    .record({
      min: fc.integer({ min: -100, max: 100 }),
      more: fc.nat({ max: 1_000 }),
      step: fc.integer({ min: 1, max: 400 }),
    })
    .map(({ min, more, step }) => ({ $case: 'int' as const, value: { min, max: min + more, step } })),
);
const axes = fc
  .array(kinds, { minLength: 1, maxLength: 6 })
  .map((all) => axesOf({ parameters: all.map((kind, i) => ({ name: `p${i}`, kind })) }));

const sampling = (method: SamplingMethod, points = 0, seed = 0): Sampling =>
  Sampling.create({ method, points, seed });
const valuesOf = (point: readonly Choice[]) => point.map(({ value }) => value?.value);

describe('axes', () => {
  it('are the parameters that make trials, in the order of the space', () => {
    const found = axesOf({
      parameters: [
        { name: 'batch_size', kind: { $case: 'int', value: { min: 4, max: 11, step: 3 } } },
        { name: 'momentum', kind: { $case: 'fixed', value: FixedParameter.create({ value: 0.9 }) } },
        { name: 'standardize', kind: { $case: 'bool', value: {} } },
      ],
    });
    expect(found.map(({ name, size }) => [name, size])).toEqual([
      ['batch_size', 3],
      ['standardize', 2],
    ]);
    expect(found[0]?.at(2)).toEqual({ name: 'batch_size', value: { $case: 'number', value: 10 } });
  });

  it('count the values between the widest bounds', () => {
    const widest = { $case: 'int' as const, value: { min: -(2 ** 31), max: 2 ** 31 - 1, step: 1 } };
    expect(combinations(axesOf({ parameters: [{ name: 'n', kind: widest }] }))).toBe(2 ** 32);
  });
});

describe('a grid', () => {
  it('has every combination, the last parameter changing fastest', () => {
    const space = {
      parameters: [
        { name: 'optimizer', kind: { $case: 'categorical' as const, value: { values: ['sgd', 'adam'] } } },
        { name: 'batch_size', kind: { $case: 'discrete' as const, value: { values: [4, 8, 16] } } },
      ],
    };
    expect(takePoints(axesOf(space), sampling(GRID)).map(valuesOf)).toEqual([
      ['sgd', 4],
      ['sgd', 8],
      ['sgd', 16],
      ['adam', 4],
      ['adam', 8],
      ['adam', 16],
    ]);
  });

  it('has one point where there is nothing to choose', () => {
    expect(takePoints([], sampling(GRID))).toEqual([[]]);
  });

  it('has as many points as there are combinations, all different', () => {
    fc.assert(
      fc.property(axes, (some) => {
        fc.pre(combinations(some) <= 3_000);
        const points = takePoints(some, sampling(GRID));
        expect(points).toHaveLength(combinations(some));
        expect(new Set(points.map((point) => JSON.stringify(point))).size).toBe(points.length);
      }),
    );
  });
});

describe.each([
  ['RANDOM', RANDOM],
  ['SOBOL', SOBOL],
])('%s', (_, method) => {
  it('takes as many points as it is asked for, none twice, and the same for the same seed', () => {
    fc.assert(
      fc.property(
        axes,
        fc.integer({ min: 1, max: 200 }),
        fc.nat({ max: 2 ** 32 - 1 }),
        (some, wanted, seed) => {
          const count = Math.min(wanted, combinations(some));
          const points = takePoints(some, sampling(method, count, seed));
          expect(points).toHaveLength(count);
          expect(new Set(points.map((point) => JSON.stringify(point))).size).toBe(count);
          expect(takePoints(some, sampling(method, count, seed))).toEqual(points);
          // More of them begin with the same ones.
          expect(takePoints(some, sampling(method, Math.ceil(count / 2), seed))).toEqual(
            points.slice(0, Math.ceil(count / 2)),
          );
        },
      ),
    );
  });

  it('takes others for another seed', () => {
    const some = axesOf({
      parameters: [{ name: 'n', kind: { $case: 'int', value: { min: 0, max: 2 ** 31 - 1, step: 1 } } }],
    });
    const [first, second] = [1, 2].map((seed) => takePoints(some, sampling(method, 8, seed)));
    expect(first).not.toEqual(second);
  });

  it('comes to every combination in the end', () => {
    const parameters = Array.from({ length: 9 }, (_, i) => ({
      name: `p${i}`,
      kind: { $case: 'bool' as const, value: {} },
    }));
    expect(takePoints(axesOf({ parameters }), sampling(method, 512, 3))).toHaveLength(512);
  });
});

describe('SOBOL', () => {
  it('takes every value of a parameter equally often, whatever the seed', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 32 - 1 }), fc.integer({ min: 8, max: 64 }), (seed, dimensions) => {
        const parameters = Array.from({ length: dimensions }, (_, i) => ({
          name: `p${i}`,
          kind: { $case: 'discrete' as const, value: { values: [0, 1, 2, 3] } },
        }));
        const points = takePoints(axesOf({ parameters }), sampling(SOBOL, 64, seed));
        for (let d = 0; d < dimensions; d++) {
          const counts = Map.groupBy(points, (point) => valuesOf(point)[d]);
          expect([...counts.values()].map(({ length }) => length)).toEqual([16, 16, 16, 16]);
        }
      }),
      { numRuns: 30 },
    );
  });
});
