/**
 * Gradients of convolutions, as convolutions: XNNPACK computes those fast. The package has no Conv2DBackpropFilter, and
 * its Conv2DBackpropInput is a naive loop.
 */

import * as tf from '@tensorflow/tfjs-core';
import {
  type ConvolutionAttributes,
  convolutionInfo,
  insertZeros,
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
  const gradient = dilatedConvolution(
    across,
    filter,
    [info.dilationHeight, info.dilationWidth],
    [info.strideHeight, info.strideWidth],
  );
  return tf.transpose(gradient, [1, 2, 0, 3]);
}

/** tf.conv2d refuses strides and dilations together: then the filter is dilated by hand. */
function dilatedConvolution(
  x: tf.Tensor4D,
  filter: tf.Tensor4D,
  strides: [number, number],
  dilations: [number, number],
): tf.Tensor4D {
  const areOne = (pair: [number, number]) => pair.every((value) => value === 1);
  if (areOne(strides) || areOne(dilations)) return tf.conv2d(x, filter, strides, 'valid', 'NHWC', dilations);
  const images = tf.transpose(filter, [2, 0, 1, 3]);
  return tf.conv2d(x, tf.transpose(insertZeros(images, ...dilations), [1, 2, 0, 3]), strides, 'valid');
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
