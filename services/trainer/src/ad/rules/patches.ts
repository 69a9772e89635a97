/** Convolution with a small filter as a matrix product: the patches of the input as rows. */

import * as tf from '@tensorflow/tfjs-core';
import { runKernel } from '../engine.ts';
import type { ConvolutionAttributes } from './convolution.ts';

/** Weights per output channel up to which the patches, that many times the input, are worth their memory. */
const SMALL = 32;
/** Tangents from which they are worth the time to make them. */
const MANY = 3;

export const worthPatches = (
  q: number,
  [height = 1, width = 1, channels = 1]: readonly number[],
  { dataFormat }: ConvolutionAttributes,
): boolean => q >= MANY && height * width * channels <= SMALL && dataFormat !== 'NCHW';

/**
 * Patches `[1, positions, weights per channel]` of an input as a key and a function for the cache: the input's forward
 * pass and its gradient with respect to the filter use the same ones, for all tangents. Exact: a convolution with filters
 * that each have a single one.
 */
export function patchesOf(
  x: tf.Tensor,
  [height = 1, width = 1, channels = 1]: readonly number[],
  { strides, pad, dataFormat, dilations = 1, dimRoundingMode }: ConvolutionAttributes,
): [key: string, make: () => tf.Tensor] {
  const attributes = { strides, pad, dataFormat, dilations, ...(dimRoundingMode && { dimRoundingMode }) };
  const size = height * width * channels;
  const make = () => {
    const filter = tf.reshape(tf.eye(size), [height, width, channels, size]);
    return tf.reshape(runKernel('Conv2D', { x, filter }, attributes), [1, -1, size]);
  };
  // The gradient's kernel may omit the dilations, or give one number for two.
  const pair = (value: number | readonly number[]) => (typeof value === 'number' ? [value, value] : value);
  const key = JSON.stringify([x.shape, height, width, channels, pair(strides), pad, pair(dilations)]);
  return [key, make];
}
