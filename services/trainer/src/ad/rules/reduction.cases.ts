/** For tests: calls of the kernels in `reduction.ts`. */

import fc from 'fast-check';
import {
  anywhere,
  distinct,
  made,
  type RuleCase,
  type Smoothness,
  seeds,
  shapes,
  type Values,
} from './rule-case.ts';

/** Some axes of a shape; the engine's kernels take them as tfjs gives them: sorted, not negative. */
const reductions = shapes.chain((shape) =>
  fc.record({
    shape: fc.constant(shape),
    axes: fc.subarray(
      shape.map((_, axis) => axis),
      { minLength: 1 },
    ),
    keepDims: fc.boolean(),
    seed: seeds,
  }),
);

const reduction = (smoothness: Smoothness, values: Values, axesName: string): RuleCase => ({
  smoothness,
  calls: reductions.map(({ shape, axes, keepDims, seed }) => ({
    inputs: () => ({ x: values(shape, seed) }),
    attributes: { [axesName]: axes, keepDims },
    differentiable: ['x'],
  })),
});

/** Now and then exactly zero, where a quotient would fail. */
const withZeros: Values = (shape, seed) => made(shape, seed, (u) => (u < 0.1 ? 0 : 2 * u - 1));

const running = (smoothness: Smoothness, values: Values): RuleCase => ({
  smoothness,
  calls: shapes.chain((shape) =>
    fc
      .record({ axis: fc.nat(shape.length - 1), exclusive: fc.boolean(), reverse: fc.boolean(), seed: seeds })
      .map(({ seed, ...attributes }) => ({
        inputs: () => ({ x: values(shape, seed) }),
        attributes,
        differentiable: ['x'],
      })),
  ),
});

export const REDUCTION_CASES: Readonly<Record<string, RuleCase>> = {
  Sum: reduction('quadratic', anywhere, 'axis'),
  Mean: reduction('quadratic', anywhere, 'axis'),
  Max: reduction('piecewise', distinct, 'reductionIndices'),
  Min: reduction('piecewise', distinct, 'axis'),
  Prod: reduction('smooth', withZeros, 'axis'),
  TopK: {
    smoothness: 'piecewise',
    calls: fc
      .record({ shape: shapes, share: fc.double({ min: 0, max: 1, noNaN: true }), seed: seeds })
      .map(({ shape, share, seed }) => ({
        inputs: () => ({ x: distinct(shape, seed) }),
        attributes: { k: 1 + Math.floor(share * ((shape.at(-1) ?? 1) - 1)), sorted: true },
        differentiable: ['x'],
      })),
  },
  Cumsum: running('quadratic', anywhere),
  Cumprod: running('smooth', withZeros),
};
