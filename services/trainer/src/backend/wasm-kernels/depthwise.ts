/** Gradients of depthwise convolutions, which the package lacks. m is the channel multiplier. */

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
 * dx `[b, H, W, c]`: each channel of dy `[b, Ho, Wo, c·m]`, spread by the stride, convolved by its own flipped filter; then
 * the sum over the m channels that came from one.
 */
export function depthwiseBackpropInput(
  { dy, filter }: Inputs,
  { inputShape, ...attributes }: ConvolutionAttributes & { inputShape: Shape4D },
): tf.Tensor {
  const kernel = filter as tf.Tensor4D;
  const [height, width, channels, multiplier] = kernel.shape;
  const info = convolutionInfo(inputShape, kernel.shape, attributes, true);
  const spread = spreadGradient(dy as tf.Tensor4D, info);
  const flipped = tf.reshape(tf.reverse(kernel, [0, 1]), [height, width, channels * multiplier, 1]);
  const dilations: [number, number] = [info.dilationHeight, info.dilationWidth];
  const parts = tf.depthwiseConv2d(spread, flipped as tf.Tensor4D, 1, 'valid', 'NHWC', dilations);
  if (multiplier === 1) return parts;
  const [b, h, w] = inputShape;
  return tf.sum(tf.reshape(parts, [b, h, w, channels, multiplier]), 4);
}

/** dW `[kh, kw, c, m]`: for each tap, what it reads of the input times dy, summed over images and positions. */
export function depthwiseBackpropFilter(
  { x, dy }: Inputs,
  { filterShape, ...attributes }: ConvolutionAttributes & { filterShape: Shape4D },
): tf.Tensor {
  const input = x as tf.Tensor4D;
  const [height, width, channels, multiplier] = filterShape;
  const info = convolutionInfo(input.shape, filterShape, attributes, true);
  const read = readPart(input, info);
  const gradient = tf.reshape(dy as tf.Tensor, [-1, channels, multiplier]);
  const tap = (row: number, column: number): tf.Tensor =>
    tf.tidy(() => {
      const top = row * info.dilationHeight;
      const left = column * info.dilationWidth;
      const seen = tf.stridedSlice(
        read,
        [0, top, left, 0],
        [
          info.batchSize,
          top + (info.outHeight - 1) * info.strideHeight + 1,
          left + (info.outWidth - 1) * info.strideWidth + 1,
          channels,
        ],
        [1, info.strideHeight, info.strideWidth, 1],
      );
      return tf.sum(tf.mul(tf.reshape(seen, [-1, channels, 1]), gradient), 0);
    });
  const taps = Array.from({ length: height * width }, (_, i) => tap(Math.floor(i / width), i % width));
  return tf.reshape(tf.stack(taps), filterShape);
}
