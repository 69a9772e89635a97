/** For tests: calls of the kernels in `normalization.ts`. */

import type * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { runKernel } from '../engine.ts';
import { anywhere, type Call, positive, type RuleCase, seeds, size } from './rule-case.ts';

const images = fc.tuple(size(2), size(3), size(3), size(5));

/** Local response normalisation; the strength is mild, so that differences are accurate. */
const localResponse = (
  inputs: (shape: readonly number[], seed: number, attributes: object) => Record<string, tf.Tensor>,
  differentiable: Call['differentiable'],
): RuleCase => ({
  smoothness: 'smooth',
  calls: fc
    .record({
      shape: images,
      seed: seeds,
      depthRadius: size(3),
      alpha: fc.constantFrom(0.1, 0.5),
      beta: fc.constantFrom(0.5, 0.75),
    })
    .map(({ shape, seed, ...rest }) => {
      const attributes = { ...rest, bias: 1 };
      return { inputs: () => inputs(shape, seed, attributes), attributes, differentiable };
    }),
});

export const NORMALIZATION_CASES: Readonly<Record<string, RuleCase>> = {
  FusedBatchNorm: {
    smoothness: 'smooth',
    calls: fc
      .record({ shape: images, scaled: fc.boolean(), shifted: fc.boolean(), seed: seeds })
      .map(({ shape, scaled, shifted, seed }) => {
        const channels = shape.slice(-1);
        return {
          inputs: () => ({
            x: anywhere(shape, seed),
            mean: anywhere(channels, seed + 1),
            variance: positive(channels, seed + 2),
            ...(scaled && { scale: anywhere(channels, seed + 3) }),
            ...(shifted && { offset: anywhere(channels, seed + 4) }),
          }),
          attributes: { varianceEpsilon: 0.01 },
          differentiable: [
            'x',
            'mean',
            'variance',
            ...(scaled ? ['scale'] : []),
            ...(shifted ? ['offset'] : []),
          ],
        };
      }),
  },
  LRN: localResponse((shape, seed) => ({ x: anywhere(shape, seed) }), ['x']),
  LRNGrad: localResponse(
    (shape, seed, attributes) => {
      const x = anywhere(shape, seed);
      return { x, y: runKernel('LRN', { x }, attributes), dy: anywhere(shape, seed + 1) };
    },
    ['x', 'y', 'dy'],
  ),
};
