/** For tests: calls of the kernels in `../ops/primitives.ts`. */

import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { runKernel } from '../engine.ts';
import {
  anywhere,
  distinct,
  made,
  offZero,
  positive,
  type RuleCase,
  seeds,
  shapes,
  size,
} from './rule-case.ts';

/** Images of even height and width, and half of it. */
const images = fc
  .tuple(size(2), size(3), size(3), size(3))
  .map(([b, h, w, c]) => ({ x: [b, 2 * h, 2 * w, c] as const, y: [b, h, w, c] as const }));

const choiceOf = (shape: readonly number[], seed: number): tf.Tensor =>
  runKernel<tf.Tensor[]>('MaxPool2x2', { x: distinct(shape, seed) })[1] as tf.Tensor;

/** Whether an element is the one that its window of 2 × 2 has at a place that the seed says. */
function standsOut(
  [, , width, channels]: readonly [number, number, number, number],
  i: number,
  seed: number,
): boolean {
  const [row, column] = [Math.floor(i / (width * channels)), Math.floor(i / channels) % width];
  return (row % 2) * 2 + (column % 2) === seed % 4;
}

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
  MaxPool2x2PickWide: {
    smoothness: 'quadratic',
    calls: fc
      .record({ image: images, seed: seeds, batches: size(3) })
      .map(({ image: { x }, seed, batches }) => ({
        inputs: () => ({
          x: anywhere([...x.slice(0, 3), batches * x[3]], seed + 1),
          choice: choiceOf(x, seed),
        }),
        differentiable: ['x'],
      })),
  },
  ConvMaxPool2x2: {
    smoothness: 'piecewise',
    calls: fc
      .record({ image: images, out: size(3), side: fc.constantFrom(1, 3), seed: seeds })
      .map(({ image: { x }, out, side, seed }) => ({
        // One element of each window stands out, and the filter is near to a single one: the choice is clear.
        inputs: () => ({
          x: made(x, seed, (u, i) => u + (standsOut(x, i, seed) ? 10 : 0)),
          filter: made([side, side, x[3], out], seed + 1, (u, i) => {
            const [place, channel] = [Math.floor(i / (x[3] * out)), Math.floor(i / out) % x[3]];
            return (place === (side * side - 1) / 2 && channel === 0 ? 2 : 0) + u / 50;
          }),
        }),
        attributes: { strides: 1, pad: 'same', dataFormat: 'NHWC', dilations: 1 },
        differentiable: ['x', 'filter'],
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
  BiasLeakyRelu: {
    smoothness: 'piecewise',
    calls: fc
      .record({ shape: shapes, alpha: fc.double({ min: 0, max: 1, noNaN: true }), seed: seeds })
      .map(({ shape, alpha, seed }) => ({
        inputs: () => ({
          x: offZero(shape, seed).mul(2),
          // Too small to bring a sum to zero.
          bias: made(shape.slice(-1), seed + 1, (u) => (u - 0.5) / 10),
        }),
        attributes: { alpha },
        differentiable: ['x', 'bias'],
      })),
  },
  BiasLeakyReluTangent: {
    smoothness: 'quadratic',
    calls: fc.record({ shape: shapes, r: size(3), seed: seeds }).map(({ shape, r, seed }) => ({
      inputs: () => ({
        x: anywhere([r, ...shape], seed),
        bias: anywhere([r, ...shape.slice(-1)], seed + 1),
        slope: positive(shape, seed + 2),
      }),
      differentiable: ['x', 'bias'],
    })),
  },
  BiasLeakyReluGrad: {
    smoothness: 'quadratic',
    calls: fc.record({ shape: shapes, r: size(3), seed: seeds }).map(({ shape, r, seed }) => ({
      inputs: () => ({ dy: anywhere([r, ...shape], seed), slope: positive(shape, seed + 1) }),
      differentiable: ['dy'],
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
