/** For tests: calls of the kernels in `linear-algebra.ts`. */

import fc from 'fast-check';
import { anywhere, type RuleCase, seeds, size } from './rule-case.ts';

/** Batch axes of both factors: none, equal, or one of them 1. */
const batches = fc.constantFrom<[number[], number[]]>(
  [[], []],
  [[3], [3]],
  [[1], [3]],
  [[3], [1]],
  [[1], [1]],
  [
    [2, 3],
    [2, 3],
  ],
);

export const LINEAR_ALGEBRA_CASES: Readonly<Record<string, RuleCase>> = {
  BatchMatMul: {
    smoothness: 'quadratic',
    calls: fc
      .record({
        batch: batches,
        m: size(4),
        k: size(4),
        n: size(4),
        transposeA: fc.boolean(),
        transposeB: fc.boolean(),
        seed: seeds,
      })
      .map(({ batch: [left, right], m, k, n, transposeA, transposeB, seed }) => ({
        inputs: () => ({
          a: anywhere([...left, ...(transposeA ? [k, m] : [m, k])], seed),
          b: anywhere([...right, ...(transposeB ? [n, k] : [k, n])], seed + 1),
        }),
        attributes: { transposeA, transposeB },
        differentiable: ['a', 'b'],
      })),
  },
};
