/** For tests: calls of the kernels in `pooling.ts`. */

import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { runKernel } from '../engine.ts';
import type { PoolingAttributes } from './pooling.ts';
import { anywhere, type Call, distinct, type RuleCase, type Smoothness, seeds, size } from './rule-case.ts';

interface Pooling {
  readonly x: [number, number, number, number];
  /** Of the result. */
  readonly y: readonly number[];
  readonly seed: number;
  readonly attributes: PoolingAttributes;
}

/** Windows overlap, touch, or leave gaps. */
const poolings: fc.Arbitrary<Pooling> = fc
  .record({
    x: fc.tuple(size(2), size(6, 3), size(6, 3), size(3)),
    filterSize: fc.tuple(size(3), size(3)),
    strides: fc.tuple(size(3), size(3)),
    pad: fc.constantFrom('valid' as const, 'same' as const),
    seed: seeds,
  })
  .map(({ x, seed, ...attributes }) => {
    const { filterSize, strides, pad } = attributes;
    const { outShape } = tf.backend_util.computePool2DInfo(x, filterSize, strides, 1, pad);
    return { x, y: outShape, seed, attributes };
  });

const calls = (smoothness: Smoothness, of: (pooling: Pooling) => Call): RuleCase => ({
  smoothness,
  calls: poolings.map(of),
});

export const POOLING_CASES: Readonly<Record<string, RuleCase>> = {
  MaxPool: calls('piecewise', ({ x, seed, attributes }) => ({
    inputs: () => ({ x: distinct(x, seed) }),
    attributes,
    differentiable: ['x'],
  })),
  MaxPoolGrad: calls('piecewise', ({ x, y, seed, attributes }) => ({
    inputs: () => {
      const input = distinct(x, seed);
      return { dy: anywhere(y, seed + 1), input, output: runKernel('MaxPool', { x: input }, attributes) };
    },
    attributes,
    differentiable: ['dy', 'input'],
  })),
  AvgPool: calls('quadratic', ({ x, seed, attributes }) => ({
    inputs: () => ({ x: anywhere(x, seed) }),
    attributes,
    differentiable: ['x'],
  })),
  AvgPoolGrad: calls('quadratic', ({ x, y, seed, attributes }) => ({
    inputs: () => ({ dy: anywhere(y, seed), input: anywhere(x, seed + 1) }),
    attributes,
    differentiable: ['dy', 'input'],
  })),
};
