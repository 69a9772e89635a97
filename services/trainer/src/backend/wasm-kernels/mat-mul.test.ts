import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { call, differenceFromCpu, random, startBackends } from './testing.ts';

beforeAll(startBackends);

const size = fc.integer({ min: 1, max: 6 });
/** Batch axes of both operands: the same, on one only, or of size 1 on one. */
const batches = fc.oneof(
  fc.constant({ a: [], b: [] }),
  size.map((n) => ({ a: [n], b: [n] })),
  size.map((n) => ({ a: [1], b: [n] })),
  size.map((n) => ({ a: [n], b: [1] })),
  fc.tuple(size, size).map(([n, r]) => ({ a: [r, n], b: [r, n] })),
  fc.tuple(size, size).map(([n, r]) => ({ a: [r, n], b: [1, 1] })),
  fc.tuple(size, size).map(([n, r]) => ({ a: [1, 1], b: [r, n] })),
);

describe('BatchMatMul on wasm', () => {
  it('agrees with the cpu backend, transposed or not, in batches or not', async () => {
    const products = fc.record({
      batch: batches,
      m: size,
      k: size,
      n: size,
      transposeA: fc.boolean(),
      transposeB: fc.boolean(),
      seed: fc.integer({ min: 1, max: 1_000 }),
    });
    await fc.assert(
      fc.asyncProperty(products, async ({ batch, m, k, n, transposeA, transposeB, seed }) => {
        const difference = await differenceFromCpu(() => {
          const a = random([...batch.a, ...(transposeA ? [k, m] : [m, k])], seed);
          const b = random([...batch.b, ...(transposeB ? [n, k] : [k, n])], seed + 1);
          return call('BatchMatMul', { a, b }, { transposeA, transposeB });
        });
        expect(difference).toBeLessThan(1e-5);
      }),
      { numRuns: 300 },
    );
  });
});
