/** For tests: calls of the kernels in `../ops/primitives.ts`. */

import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { runKernel } from '../engine.ts';
import { anywhere, distinct, offZero, type RuleCase, seeds, shapes, size } from './rule-case.ts';

/** Images of even height and width, and half of it. */
const images = fc
  .tuple(size(2), size(3), size(3), size(3))
  .map(([b, h, w, c]) => ({ x: [b, 2 * h, 2 * w, c] as const, y: [b, h, w, c] as const }));

export const PRIMITIVES_CASES: Readonly<Record<string, RuleCase>> = {
  MaxPool2x2: {
    smoothness: 'piecewise',
    calls: fc.record({ image: images, seed: seeds }).map(({ image: { x }, seed }) => ({
      inputs: () => ({ x: distinct(x, seed) }),
      differentiable: ['x'],
    })),
  },
  MaxPool2x2Grad: {
    smoothness: 'quadratic',
    calls: fc.record({ image: images, seed: seeds }).map(({ image: { x, y }, seed }) => ({
      inputs: () => {
        const [, mask] = runKernel<tf.Tensor[]>('MaxPool2x2', { x: distinct(x, seed) });
        return { dy: anywhere(y, seed + 1), mask: mask as tf.Tensor };
      },
      differentiable: ['dy'],
    })),
  },
  LeakyReluWithSlope: {
    smoothness: 'piecewise',
    calls: fc
      .record({ shape: shapes, alpha: fc.double({ min: 0, max: 1, noNaN: true }), seed: seeds })
      .map(({ shape, alpha, seed }) => ({
        inputs: () => ({ x: offZero(shape, seed) }),
        attributes: { alpha },
        differentiable: ['x'],
      })),
  },
  SoftmaxCrossEntropy: {
    smoothness: 'smooth',
    calls: fc.record({ batch: size(4), classes: size(5), seed: seeds }).map(({ batch, classes, seed }) => ({
      inputs: () => ({
        logits: anywhere([batch, classes], seed),
        labels: tf.softmax(anywhere([batch, classes], seed + 1)),
      }),
      differentiable: ['logits', 'labels'],
    })),
  },
};
