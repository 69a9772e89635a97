/**
 * Gradients of convolutions, as convolutions: XNNPACK computes those fast. The package has no Conv2DBackpropFilter, and
 * its Conv2DBackpropInput is a naive loop.
 */

import * as tf from '@tensorflow/tfjs-core';
import {
  type ConvolutionAttributes,
  convolutionInfo,
  readPart,
  type Shape4D,
  spreadGradient,
} from './geometry.ts';
import type { Inputs } from './kernel.ts';

/**
 * dW `[kh, kw, ci, co]`: the convolution of the transposed input `[ci, H, W, b]` by the transposed dy `[Ho, Wo, b, co]`. The
 * stride of the forward convolution is the dilation here, and its dilation the stride.
 */
export function conv2dBackpropFilter(
  { x, dy }: Inputs,
  { filterShape, ...attributes }: ConvolutionAttributes & { filterShape: Shape4D },
): tf.Tensor {
  const input = x as tf.Tensor4D;
  const info = convolutionInfo(input.shape, filterShape, attributes);
  const across = tf.transpose(readPart(input, info), [3, 1, 2, 0]);
  const filter = tf.transpose(dy as tf.Tensor4D, [1, 2, 0, 3]);
  const strides: [number, number] = [info.dilationHeight, info.dilationWidth];
  const dilations: [number, number] = [info.strideHeight, info.strideWidth];
  return tf.transpose(tf.conv2d(across, filter, strides, 'valid', 'NHWC', dilations), [1, 2, 0, 3]);
}

/** dx `[b, H, W, ci]`: the convolution of dy, spread by the stride, by the flipped filter `[kh, kw, co, ci]`. */
export function conv2dBackpropInput(
  { dy, filter }: Inputs,
  { inputShape, ...attributes }: ConvolutionAttributes & { inputShape: Shape4D },
): tf.Tensor {
  const kernel = filter as tf.Tensor4D;
  const info = convolutionInfo(inputShape, kernel.shape, attributes);
  const spread = spreadGradient(dy as tf.Tensor4D, info);
  const flipped = tf.transpose(tf.reverse(kernel, [0, 1]), [0, 1, 3, 2]);
  return tf.conv2d(spread, flipped, 1, 'valid', 'NHWC', [info.dilationHeight, info.dilationWidth]);
}
