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
  Einsum: {
    smoothness: 'quadratic',
    calls: fc
      .record({
        equation: fc.constantFrom(
          'ij->ji',
          'ij->i',
          'ij->',
          'ij,jk->ik',
          'bij,bjk->bik',
          'ij,j->i',
          'i,j->ij',
          'ij,ij->',
          'ijk,k->ji',
          'ab,cb->a',
        ),
        sizes: fc.array(size(4), { minLength: 26, maxLength: 26 }),
        seed: seeds,
      })
      .map(({ equation, sizes, seed }) => {
        const operands = equation.split('->')[0]?.split(',') ?? [];
        const lengths = (indices: string) =>
          [...indices].map((index) => sizes[index.charCodeAt(0) - 97] ?? 1);
        return {
          inputs: () => operands.map((indices, i) => anywhere(lengths(indices), seed + i)),
          attributes: { equation },
          differentiable: operands.map((_, i) => i),
        };
      }),
  },
};
