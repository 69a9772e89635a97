/** For tests: calls of the kernels in `activation.ts`. */

import fc from 'fast-check';
import { anywhere, made, offZero, type RuleCase, seeds, shapes, unary } from './rule-case.ts';

export const ACTIVATION_CASES: Readonly<Record<string, RuleCase>> = {
  Relu: unary('piecewise', offZero),
  // Half numbers, off 0 and 6.
  Relu6: unary('piecewise', (shape, seed) => made(shape, seed, (u) => Math.floor(12 * u) - 2.5)),
  LeakyRelu: unary('piecewise', offZero, { alpha: 0.2 }),
  Prelu: {
    smoothness: 'smooth',
    calls: fc.record({ shape: shapes, seed: seeds, whole: fc.boolean() }).map(({ shape, seed, whole }) => ({
      inputs: () => ({
        x: offZero(shape, seed),
        // A layer's slopes are shared along the batch axis, and perhaps others.
        alpha: anywhere(whole ? shape : shape.map((size, axis) => (axis === 0 ? 1 : size)), seed + 1),
      }),
      differentiable: ['x', 'alpha'],
    })),
  },
  Elu: unary('smooth', offZero),
  EluGrad: {
    smoothness: 'smooth',
    calls: fc.record({ shape: shapes, seed: seeds }).map(({ shape, seed }) => ({
      inputs: () => ({ dy: anywhere(shape, seed), y: offZero(shape, seed + 1) }),
      differentiable: ['dy', 'y'],
    })),
  },
  Selu: unary('smooth', offZero),
  Sigmoid: unary('smooth', anywhere),
  Softplus: unary('smooth', anywhere),
  Tanh: unary('smooth', anywhere),
};
