/** For tests: calls of the kernels in `convolution.ts`. */

import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { anywhere, type Call, type RuleCase, seeds, size } from './rule-case.ts';

interface Convolution {
  readonly x: [number, number, number, number];
  readonly filter: [number, number, number, number];
  /** Of the result. */
  readonly y: readonly number[];
  readonly seed: number;
  readonly attributes: {
    strides: number;
    pad: 'valid' | 'same';
    dataFormat: 'NHWC' | 'NCHW';
    dilations: number;
  };
}

/** Few and many channels take different ways; strides and dilations exclude each other. */
const convolutions = (dilations: fc.Arbitrary<number>): fc.Arbitrary<Convolution> =>
  fc
    .record({
      batch: size(2),
      height: size(7, 4),
      width: size(7, 4),
      filterHeight: size(3),
      filterWidth: size(3),
      channelsIn: fc.constantFrom(1, 2, 8, 9),
      channelsOut: fc.constantFrom(1, 3, 8),
      strides: size(2),
      dilations,
      pad: fc.constantFrom('valid' as const, 'same' as const),
      seed: seeds,
    })
    .map((c) => {
      const strides = c.dilations === 1 ? c.strides : 1;
      const x = [c.batch, c.height, c.width, c.channelsIn] as Convolution['x'];
      const filter = [c.filterHeight, c.filterWidth, c.channelsIn, c.channelsOut] as Convolution['filter'];
      const { outShape } = tf.backend_util.computeConv2DInfo(x, filter, strides, c.dilations, c.pad);
      const attributes = { strides, pad: c.pad, dataFormat: 'NHWC' as const, dilations: c.dilations };
      return { x, filter, y: outShape, seed: c.seed, attributes };
    })
    .filter(({ y }) => y.every((length) => length > 0));

const calls = (
  of: (convolution: Convolution) => Call,
  dilations: fc.Arbitrary<number> = fc.constant(1),
): RuleCase => ({
  smoothness: 'quadratic',
  calls: convolutions(dilations).map(of),
});

export const CONVOLUTION_CASES: Readonly<Record<string, RuleCase>> = {
  Conv2D: calls(
    ({ x, filter, seed, attributes }) => ({
      inputs: () => ({ x: anywhere(x, seed), filter: anywhere(filter, seed + 1) }),
      attributes,
      differentiable: ['x', 'filter'],
    }),
    size(2),
  ),
  Conv2DBackpropInput: calls(({ x, filter, y, seed, attributes: { strides, pad, dataFormat } }) => ({
    inputs: () => ({ dy: anywhere(y, seed), filter: anywhere(filter, seed + 1) }),
    attributes: { strides, pad, dataFormat, inputShape: x },
    differentiable: ['dy', 'filter'],
  })),
  Conv2DBackpropFilter: calls(({ x, filter, y, seed, attributes: { strides, pad, dataFormat } }) => ({
    inputs: () => ({ x: anywhere(x, seed), dy: anywhere(y, seed + 1) }),
    attributes: { strides, pad, dataFormat, filterShape: filter },
    differentiable: ['x', 'dy'],
  })),
};
