/** For tests: calls of the kernels in `softmax.ts`. */

import fc from 'fast-check';
import { anywhere, type RuleCase, seeds, shapes } from './rule-case.ts';

export const SOFTMAX_CASES: Readonly<Record<string, RuleCase>> = {
  Softmax: {
    smoothness: 'smooth',
    calls: fc.record({ shape: shapes, seed: seeds }).map(({ shape, seed }) => ({
      inputs: () => ({ logits: anywhere(shape, seed) }),
      attributes: { dim: shape.length - 1 },
      differentiable: ['logits'],
    })),
  },
};
