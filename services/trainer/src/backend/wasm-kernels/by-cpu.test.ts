import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { call, differenceFromCpu, random, startBackends } from './testing.ts';

beforeAll(startBackends);

const seeds = fc.integer({ min: 1, max: 1_000 });
const size = (max: number) => fc.integer({ min: 1, max });

/** Whole numbers from 0 to limit − 1. */
const indices = (shape: number[], limit: number, seed: number): tf.Tensor =>
  tf.cast(tf.floor(tf.randomUniform(shape, 0, limit, 'float32', seed)), 'int32');

/** Values and second argument of a volume's convolution, 3 × 4 × 4 with filters 2 × 2 × 2. */
const volumes = fc.record({ batch: size(2), channelsIn: size(3), channelsOut: size(3), seed: seeds });

const KERNELS: Readonly<Record<string, fc.Arbitrary<() => tf.Tensor>>> = {
  Einsum: fc.tuple(size(4), size(4), size(4), seeds).map(
    ([m, k, n, seed]) =>
      () =>
        tf.einsum('ik,kj->ji', random([m, k], seed), random([k, n], seed + 1)),
  ),
  'Cast to truth values': fc
    .constantFrom([-3, 0.4, 0, 256], [1, 0, 255.5, -0.1])
    .map((values) => () => tf.cast(tf.cast(tf.tensor1d([...values]), 'bool'), 'float32')),
  'FusedConv2D with a bias that was a row': fc
    .tuple(size(3), size(3), seeds)
    .map(([batch, channels, seed]) => () => {
      const bias = tf.reshape(random([1, channels], seed), [channels]);
      const x = random([batch, 5, 5, 2], seed + 1) as tf.Tensor4D;
      const filter = random([2, 2, 2, channels], seed + 2) as tf.Tensor4D;
      return tf.fused.conv2d({ x, filter, strides: 1, pad: 'valid', bias, activation: 'relu' });
    }),
  '_FusedMatMul with a bias that was a row': fc
    .tuple(size(4), size(3), seeds)
    .map(([rows, columns, seed]) => () => {
      const bias = tf.reshape(random([1, columns], seed), [columns]);
      const a = random([rows, 3], seed + 1) as tf.Tensor2D;
      return tf.fused.matMul({ a, b: random([3, columns], seed + 2) as tf.Tensor2D, bias });
    }),
  UnsortedSegmentSum: fc.tuple(size(5), size(3), size(4), seeds).map(
    ([rows, columns, segments, seed]) =>
      () =>
        tf.unsortedSegmentSum(
          random([rows, columns], seed),
          indices([rows], segments, seed + 1) as tf.Tensor1D,
          segments,
        ),
  ),
  'GatherV2 with a batch axis': fc.tuple(size(3), size(4), size(5), seeds).map(
    ([batch, length, count, seed]) =>
      () =>
        tf.gather(random([batch, length, 2], seed), indices([batch, count], length, seed + 1), 1, 1),
  ),
  'GatherV2 without': fc.tuple(size(3), size(4), size(5), seeds).map(
    ([rows, columns, count, seed]) =>
      () =>
        tf.gather(random([rows, columns], seed), indices([count, 2], columns, seed + 1), 1),
  ),
  Conv3DBackpropInputV2: volumes.map(
    ({ batch, channelsIn, channelsOut, seed }) =>
      () =>
        call(
          'Conv3DBackpropInputV2',
          {
            dy: random([batch, 2, 3, 3, channelsOut], seed),
            filter: random([2, 2, 2, channelsIn, channelsOut], seed + 1),
          },
          { strides: 1, pad: 'valid', inputShape: [batch, 3, 4, 4, channelsIn] },
        ),
  ),
  Conv3DBackpropFilterV2: volumes.map(
    ({ batch, channelsIn, channelsOut, seed }) =>
      () =>
        call(
          'Conv3DBackpropFilterV2',
          {
            x: random([batch, 3, 4, 4, channelsIn], seed),
            dy: random([batch, 2, 3, 3, channelsOut], seed + 1),
          },
          { strides: 1, pad: 'valid', filterShape: [2, 2, 2, channelsIn, channelsOut] },
        ),
  ),
};

describe('on wasm', () => {
  it.each(Object.entries(KERNELS))('%s agrees with the cpu backend', async (_, calls) => {
    await fc.assert(
      fc.asyncProperty(calls, async (compute) => {
        expect(await differenceFromCpu(compute)).toBeLessThan(1e-5);
      }),
      { numRuns: 30 },
    );
  });

  it('nothing is left on the cpu backend', async () => {
    await tf.setBackend('wasm');
    const cpu = tf.findBackend('cpu');
    const before = cpu.numDataIds();
    tf.tidy(() => tf.einsum('ij,j->i', random([3, 2], 1), random([2], 2)));
    expect(cpu.numDataIds()).toBe(before);
  });
});
