/** What the tests of these kernels share: random tensors, and the comparison of the wasm backend with the cpu backend. */

import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { initBackend } from '../select.ts';
import type { ConvolutionAttributes, Shape4D } from './geometry.ts';

/** Starts both backends; the wasm backend is the current one then. */
export async function startBackends(): Promise<void> {
  await initBackend({ backend: 'cpu', log: () => {} });
  await initBackend({ backend: 'wasm', log: () => {} });
}

/** Calls a kernel of the current backend. */
export const call = (kernel: string, inputs: object, attributes: object): tf.Tensor =>
  tf.engine().runKernel(kernel, inputs as tf.NamedTensorMap, attributes as tf.NamedAttrMap) as tf.Tensor;

/** Values between offset − 1 and offset + 1 from a seed; `levels` of them, so that many are equal, or all different. */
export function random(
  shape: readonly number[],
  seed: number,
  { offset = 0, levels }: { offset?: number; levels?: number | undefined } = {},
): tf.Tensor {
  const x = tf.randomUniform([...shape], -1, 1, 'float32', seed);
  const coarse = levels === undefined ? x : tf.div(tf.round(tf.mul(x, levels / 2)), levels / 2);
  return tf.add(coarse, offset);
}

/** Runs on one backend, with the inputs made there. */
export async function on(backend: 'cpu' | 'wasm', compute: () => tf.Tensor): Promise<Float32Array> {
  await tf.setBackend(backend);
  const result = tf.tidy(compute);
  const values = Float32Array.from(await result.data());
  result.dispose();
  return values;
}

/** The largest difference between the two backends, over the largest value or 1. */
export async function differenceFromCpu(compute: () => tf.Tensor): Promise<number> {
  const expected = await on('cpu', compute);
  const found = await on('wasm', compute);
  if (found.length !== expected.length) return Number.POSITIVE_INFINITY;
  const scale = Math.max(1, ...expected.map(Math.abs));
  return Math.max(0, ...found.map((value, i) => Math.abs(value - (expected[i] ?? Number.NaN)) / scale));
}

/** Sum of the products of the elements of two tensors that the named backends compute. */
export async function dot(
  [backendA, a]: ['cpu' | 'wasm', () => tf.Tensor],
  [backendB, b]: ['cpu' | 'wasm', () => tf.Tensor],
): Promise<number> {
  const right = await on(backendB, b);
  return (await on(backendA, a)).reduce((sum, value, i) => sum + value * (right[i] ?? Number.NaN), 0);
}

export interface ConvolutionCase {
  readonly inputShape: Shape4D;
  readonly filterShape: Shape4D;
  readonly attributes: ConvolutionAttributes;
  readonly seed: number;
}

const size = (min: number, max: number) => fc.integer({ min, max });
const padding = size(0, 2);

const pair = fc.tuple(size(1, 3), size(1, 3));
const ones = fc.constant<[number, number]>([1, 1]);

/**
 * Convolutions of unequal sizes with every kind of padding, and with unequal strides, or unequal dilations instead: tfjs
 * refuses both together. The last axis of the filter is free.
 */
export const convolutions = ({ dilated }: { dilated: boolean }): fc.Arbitrary<ConvolutionCase> =>
  fc
    .record({
      inputShape: fc.tuple(size(1, 3), size(7, 10), size(7, 10), size(1, 3)),
      filter: fc.tuple(size(1, 3), size(1, 3), size(1, 3)),
      strides: dilated ? ones : pair,
      dilations: dilated ? pair : ones,
      pad: fc.oneof(
        fc.constantFrom('same' as const, 'valid' as const),
        padding,
        fc.tuple(padding, padding, padding, padding).map(
          ([top, bottom, left, right]): tf.backend_util.ExplicitPadding => [
            [0, 0],
            [top, bottom],
            [left, right],
            [0, 0],
          ],
        ),
      ),
      seed: size(1, 1_000),
    })
    .map(({ inputShape, filter: [height, width, last], seed, strides, dilations, pad }) => ({
      inputShape,
      filterShape: [height, width, inputShape[3], last],
      seed,
      attributes: { strides, dilations, pad },
    }));
