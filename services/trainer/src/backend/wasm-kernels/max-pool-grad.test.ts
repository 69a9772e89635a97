import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { call, differenceFromCpu, on, random, startBackends } from './testing.ts';

beforeAll(startBackends);

const size = (min: number, max: number) => fc.integer({ min, max });
const pools = fc.record({
  shape: fc.tuple(size(1, 3), size(4, 8), size(4, 8), size(1, 3)),
  attributes: fc.record({
    filterSize: fc.tuple(size(1, 3), size(1, 3)),
    strides: fc.tuple(size(1, 3), size(1, 3)),
    pad: fc.constantFrom('same' as const, 'valid' as const),
  }),
  /** All values negative, of both signs, or positive. */
  offset: fc.constantFrom(-5, 0, 5),
  /** Few levels: most windows have several largest elements. */
  levels: fc.constantFrom(undefined, 2),
  seed: size(1, 1_000),
});

describe('max pooling on wasm', () => {
  it('agrees with the cpu backend, also in windows without a positive value, with ties and overlaps', async () => {
    await fc.assert(
      fc.asyncProperty(pools, async ({ shape, attributes, offset, levels, seed }) => {
        const input = () => random(shape, seed, { offset, levels });
        const output = () => call('MaxPool', { x: input() }, attributes);
        const gradient = () => {
          const y = output();
          return call(
            'MaxPoolGrad',
            { dy: random(y.shape, seed + 1), input: input(), output: y },
            attributes,
          );
        };
        expect(await differenceFromCpu(output)).toBe(0);
        expect(await differenceFromCpu(gradient)).toBeLessThan(1e-6);
      }),
      { numRuns: 300 },
    );
  });

  it('tells values apart that differ by one unit in the last place', async () => {
    const next = 1000 + 2 ** -14;
    const values = [1000, next, 1000, 1000];
    const gradient = await on('wasm', () => {
      const input = tf.tensor4d(values, [1, 2, 2, 1]);
      const attributes = { filterSize: 2, strides: 2, pad: 'valid' };
      const output = call('MaxPool', { x: input }, attributes);
      return call('MaxPoolGrad', { dy: tf.tensor4d([7], [1, 1, 1, 1]), input, output }, attributes);
    });
    expect([...gradient]).toEqual([0, 7, 0, 0]);
  });
});
