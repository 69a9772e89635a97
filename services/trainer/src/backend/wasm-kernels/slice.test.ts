import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { call, differenceFromCpu, on, random, startBackends } from './testing.ts';

beforeAll(startBackends);

/** An axis, and the part of it that a slice takes; −1 takes all that is left. */
const axis = fc
  .record({ before: fc.nat(2), taken: fc.integer({ min: 1, max: 4 }), after: fc.nat(2) })
  .chain(({ before, taken, after }) =>
    fc.record({
      length: fc.constant(before + taken + after),
      begin: fc.constant(before),
      size: fc.constantFrom(taken, ...(after === 0 ? [-1] : [])),
    }),
  );

describe('Slice on wasm', () => {
  it('agrees with the cpu backend, in one piece or not, of every dtype', async () => {
    const slices = fc.record({
      axes: fc.array(axis, { minLength: 1, maxLength: 4 }),
      dtype: fc.constantFrom('float32' as const, 'int32' as const, 'bool' as const),
      seed: fc.integer({ min: 1, max: 1_000 }),
    });
    await fc.assert(
      fc.asyncProperty(slices, async ({ axes, dtype, seed }) => {
        const shape = axes.map(({ length }) => length);
        const attributes = { begin: axes.map(({ begin }) => begin), size: axes.map(({ size }) => size) };
        const difference = await differenceFromCpu(() => {
          const values = tf.mul(random(shape, seed), 3);
          const x = dtype === 'bool' ? tf.greater(values, 0) : tf.cast(values, dtype);
          return call('Slice', { x }, attributes);
        });
        expect(difference).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('is a copy that outlives its input', async () => {
    const kept = await on('wasm', () => {
      const part = tf.tidy(() => call('Slice', { x: tf.tensor1d([1, 2, 3, 4]) }, { begin: [1], size: [2] }));
      tf.fill([4], 9);
      return part;
    });
    expect([...kept]).toEqual([2, 3]);
  });
});
