/** For tests: calls of the kernels in `reduction.ts`. */

import fc from 'fast-check';
import { anywhere, distinct, type RuleCase, type Smoothness, seeds, shapes } from './rule-case.ts';

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

const reduction = (smoothness: Smoothness, values: typeof anywhere, axesName: string): RuleCase => ({
  smoothness,
  calls: reductions.map(({ shape, axes, keepDims, seed }) => ({
    inputs: () => ({ x: values(shape, seed) }),
    attributes: { [axesName]: axes, keepDims },
    differentiable: ['x'],
  })),
});

export const REDUCTION_CASES: Readonly<Record<string, RuleCase>> = {
  Sum: reduction('quadratic', anywhere, 'axis'),
  Mean: reduction('quadratic', anywhere, 'axis'),
  Max: reduction('piecewise', distinct, 'reductionIndices'),
  Min: reduction('piecewise', distinct, 'axis'),
};
