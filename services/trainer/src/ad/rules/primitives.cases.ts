/** For tests: calls of the kernels in `../ops/primitives.ts`. */

import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { runKernel } from '../engine.ts';
import { anywhere, distinct, offZero, type RuleCase, seeds, shapes, size } from './rule-case.ts';

/** Images of even height and width, and half of it. */
const images = fc
  .tuple(size(2), size(3), size(3), size(3))
  .map(([b, h, w, c]) => ({ x: [b, 2 * h, 2 * w, c] as const, y: [b, h, w, c] as const }));

const choiceOf = (shape: readonly number[], seed: number): tf.Tensor =>
  runKernel<tf.Tensor[]>('MaxPool2x2', { x: distinct(shape, seed) })[1] as tf.Tensor;

export const PRIMITIVES_CASES: Readonly<Record<string, RuleCase>> = {
  MaxPool2x2: {
    smoothness: 'piecewise',
    calls: fc.record({ image: images, seed: seeds }).map(({ image: { x }, seed }) => ({
      inputs: () => ({ x: distinct(x, seed) }),
      differentiable: ['x'],
    })),
  },
  MaxPool2x2Pick: {
    smoothness: 'quadratic',
    calls: fc
      .record({ image: images, seed: seeds, batches: size(2) })
      .map(({ image: { x }, seed, batches }) => ({
        inputs: () => ({ x: anywhere([batches * x[0], ...x.slice(1)], seed + 1), choice: choiceOf(x, seed) }),
        differentiable: ['x'],
      })),
  },
  MaxPool2x2Grad: {
    smoothness: 'quadratic',
    calls: fc
      .record({ image: images, seed: seeds, batches: size(2) })
      .map(({ image: { x, y }, seed, batches }) => ({
        inputs: () => ({
          dy: anywhere([batches * y[0], ...y.slice(1)], seed + 1),
          choice: choiceOf(x, seed),
        }),
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
