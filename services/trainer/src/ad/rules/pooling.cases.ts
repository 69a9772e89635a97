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

interface VolumePooling extends Omit<Pooling, 'x' | 'attributes'> {
  readonly x: [number, number, number, number, number];
  readonly attributes: object;
}

const volumes = (smoothness: Smoothness, of: (pooling: VolumePooling) => Call): RuleCase => ({
  smoothness,
  calls: fc
    .record({
      x: fc.tuple(size(2), size(4, 3), size(4, 3), size(4, 3), size(2)),
      filterSize: fc.tuple(size(3), size(3), size(3)),
      strides: fc.tuple(size(2), size(2), size(2)),
      pad: fc.constantFrom('valid' as const, 'same' as const),
      seed: seeds,
    })
    // Otherwise the stock kernel of cpu pads wrongly.
    .filter(
      ({ filterSize, strides, pad }) => pad === 'valid' || filterSize.every((f, i) => f >= (strides[i] ?? 1)),
    )
    .map(({ x, seed, ...attributes }) => {
      const { filterSize, strides, pad } = attributes;
      const { outShape } = tf.backend_util.computePool3DInfo(x, filterSize, strides, 1, pad);
      return of({ x, y: outShape, seed, attributes });
    }),
});

interface Dilation extends Omit<Pooling, 'attributes'> {
  readonly filter: readonly number[];
  readonly attributes: object;
}

const dilations = (smoothness: Smoothness, of: (dilation: Dilation) => Call): RuleCase => ({
  smoothness,
  calls: fc
    .record({
      x: fc.tuple(size(2), size(6, 5), size(6, 5), size(3)),
      filter: fc.tuple(size(3), size(3)),
      strides: size(2),
      dilations: size(2),
      pad: fc.constantFrom('valid' as const, 'same' as const),
      seed: seeds,
    })
    .map(({ x, filter: [height, width], seed, ...attributes }) => {
      const { strides, dilations: rates, pad } = attributes;
      const filter: [number, number, number] = [height, width, x[3]];
      const { outShape } = tf.backend_util.computeDilation2DInfo(x, filter, strides, pad, 'NHWC', rates);
      return of({ x, y: outShape, filter, seed, attributes });
    }),
});

/** Whole numbers, all different within an image, and tenths below one, all different within a filter: no two sums are near. */
function dilationInputs({ x, filter, seed }: Dilation): Record<'x' | 'filter', tf.Tensor> {
  const [batch, height, width, channels] = x;
  const [filterHeight = 1, filterWidth = 1] = filter;
  const image = distinct([1, height, width, 1], seed).mul(10);
  const tenths = distinct([filterHeight, filterWidth, 1], seed + 1);
  return { x: tf.tile(image, [batch, 1, 1, channels]), filter: tf.tile(tenths, [1, 1, channels]) };
}

const dilationGradient = (dilation: Dilation): Call => ({
  inputs: () => ({ ...dilationInputs(dilation), dy: anywhere(dilation.y, dilation.seed + 2) }),
  attributes: dilation.attributes,
  differentiable: ['x', 'filter', 'dy'],
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
  AvgPoolGrad: {
    cpuDefect: 'divides by the window’s size where there is padding',
    ...calls('quadratic', ({ x, y, seed, attributes }) => ({
      inputs: () => ({ dy: anywhere(y, seed), input: anywhere(x, seed + 1) }),
      attributes,
      differentiable: ['dy', 'input'],
    })),
  },
  MaxPool3D: volumes('piecewise', ({ x, seed, attributes }) => ({
    inputs: () => ({ x: distinct(x, seed) }),
    attributes: { ...attributes, dataFormat: 'NDHWC' },
    differentiable: ['x'],
  })),
  MaxPool3DGrad: {
    cpuDefect: 'sends gradients to wrong elements',
    ...volumes('piecewise', ({ x, y, seed, attributes }) => ({
      inputs: () => {
        const input = distinct(x, seed);
        const output = runKernel('MaxPool3D', { x: input }, { ...attributes, dataFormat: 'NDHWC' });
        return { dy: anywhere(y, seed + 1), input, output };
      },
      attributes,
      // Moved alone, the input would no longer fit the output.
      differentiable: ['dy'],
    })),
  },
  AvgPool3D: volumes('quadratic', ({ x, seed, attributes }) => ({
    inputs: () => ({ x: anywhere(x, seed) }),
    attributes: { ...attributes, dataFormat: 'NDHWC' },
    differentiable: ['x'],
  })),
  AvgPool3DGrad: {
    cpuDefect: 'divides by the window’s size where there is padding',
    ...volumes('quadratic', ({ x, y, seed, attributes }) => ({
      inputs: () => ({ dy: anywhere(y, seed), input: anywhere(x, seed + 1) }),
      attributes,
      differentiable: ['dy', 'input'],
    })),
  },
  Dilation2D: dilations('piecewise', (dilation) => ({
    inputs: () => dilationInputs(dilation),
    attributes: dilation.attributes,
    differentiable: ['x', 'filter'],
  })),
  Dilation2DBackpropInput: dilations('piecewise', dilationGradient),
  Dilation2DBackpropFilter: dilations('piecewise', dilationGradient),
};
