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
 * Patches of an input, `[1, positions, weights per channel]`. Exact: a convolution with filters that each have a single
 * one.
 */
export function patchesOf(
  x: tf.Tensor,
  [height = 1, width = 1, channels = 1]: readonly number[],
  attributes: ConvolutionAttributes,
): tf.Tensor {
  const size = height * width * channels;
  const filter = tf.reshape(tf.eye(size), [height, width, channels, size]);
  return tf.reshape(runKernel('Conv2D', { x, filter }, attributes), [1, -1, size]);
}
