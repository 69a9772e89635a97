/**
 * Two-dimensional convolutions and their gradients, all bilinear: d f(a, b) = f(da, b) + f(a, db). What is folded where
 * was chosen by measurement (docs/method.md, section 3).
 */

import * as tf from '@tensorflow/tfjs-core';
import { runKernel } from '../engine.ts';
import { patchesOf, worthPatches } from './patches.ts';
import {
  dim,
  each,
  fold,
  foldedShape,
  plus,
  type Rule,
  rule,
  stacked,
  type Tangent,
  together,
  unfold,
} from './rule.ts';

export interface ConvolutionAttributes {
  readonly strides: number | readonly number[];
  readonly pad: 'valid' | 'same' | number | readonly (readonly number[])[];
  readonly dataFormat: 'NHWC' | 'NCHW';
  readonly dilations?: number | readonly number[];
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/**
 * Whether tangents of a filter may lie side by side on a channel axis: they are cheaper one by one with few channels. Only
 * for channels in the last axis.
 */
const foldable = (channelsIn: number, { dataFormat }: ConvolutionAttributes): boolean =>
  channelsIn >= 8 && dataFormat !== 'NCHW';

export const conv2d = rule<'x' | 'filter', ConvolutionAttributes>(
  ({ primals: { x, filter }, tangents, q, output, attributes }) => {
    const convolve = (input: tf.Tensor, weights: tf.Tensor) =>
      runKernel('Conv2D', { x: input, filter: weights }, attributes);
    const [, , channelsIn = 1, channelsOut = 1] = filter.shape;

    const ofFilter = (tangent: tf.Tensor): tf.Tensor => {
      if (tangents.x === undefined && worthPatches(q, filter.shape, attributes)) {
        const weights = tf.reshape(tangent, [q, -1, channelsOut]);
        const patches = patchesOf(x, filter.shape, attributes);
        return tf.reshape(tf.matMul(patches, weights), stacked(q, output.shape));
      }
      if (!foldable(channelsIn, attributes))
        return together(each(tangent).map((weights) => convolve(x, weights)));
      return tangentsOfLastAxis(convolve(x, tangentsAsLastAxis(tangent)), q);
    };
    return plus(
      tangents.x && unfold(convolve(fold(tangents.x), filter), q),
      tangents.filter && ofFilter(tangents.filter),
    );
  },
);

/** Gradient of a convolution with respect to its input. */
const conv2dBackpropInput = rule<'dy' | 'filter', ConvolutionAttributes & { inputShape: readonly number[] }>(
  ({ primals: { dy, filter }, tangents, q, attributes }) => {
    const { inputShape } = attributes;
    const back = (gradient: tf.Tensor, weights: tf.Tensor, shape: readonly number[]) =>
      runKernel(
        'Conv2DBackpropInput',
        { dy: gradient, filter: weights },
        { ...attributes, inputShape: shape },
      );

    const ofFilter = (tangent: tf.Tensor): tf.Tensor => {
      const [height = 1, width = 1, channelsIn = 1, channelsOut = 1] = filter.shape;
      if (!foldable(channelsOut, attributes))
        return together(each(tangent).map((weights) => back(dy, weights, inputShape)));
      const wide = tf.reshape(tf.transpose(tangent, [1, 2, 0, 3, 4]), [
        height,
        width,
        q * channelsIn,
        channelsOut,
      ]);
      return tangentsOfLastAxis(back(dy, wide, [...inputShape.slice(0, 3), q * channelsIn]), q);
    };
    if (tangents.dy && tangents.filter && attributes.dataFormat !== 'NCHW') {
      // Both terms as one sum over twice the channels.
      const weights = each(tangents.filter);
      return together(
        each(tangents.dy).map((gradient, k) =>
          back(tf.concat([gradient, dy], -1), tf.concat([filter, weights[k] as tf.Tensor], -1), inputShape),
        ),
      );
    }
    return plus(
      tangents.dy && unfold(back(fold(tangents.dy), filter, foldedShape(inputShape, q)), q),
      tangents.filter && ofFilter(tangents.filter),
    );
  },
);

/** Gradient of a convolution with respect to its filter. */
const conv2dBackpropFilter = rule<'x' | 'dy', ConvolutionAttributes & { filterShape: readonly number[] }>(
  ({ primals: { x, dy }, tangents, q, attributes }): Tangent => {
    const { filterShape } = attributes;
    const back = (input: tf.Tensor, gradient: tf.Tensor, shape: readonly number[] = filterShape) =>
      runKernel('Conv2DBackpropFilter', { x: input, dy: gradient }, { ...attributes, filterShape: shape });

    const ofDy = (tangent: tf.Tensor): tf.Tensor => {
      if (!foldable(dim(filterShape, 2), attributes)) {
        return together(each(tangent).map((gradient) => back(x, gradient)));
      }
      const wide = tangentsAsLastAxis(tangent);
      return tangentsOfLastAxis(back(x, wide, [...filterShape.slice(0, 3), dim(wide.shape, -1)]), q);
    };
    return plus(
      tangents.x && together(each(tangents.x).map((input) => back(input, dy))),
      tangents.dy && ofDy(tangents.dy),
    );
  },
);

/** `[q, ..., c]` to `[..., q·c]`. */
export function tangentsAsLastAxis(tangent: tf.Tensor): tf.Tensor {
  const [q = 1, ...shape] = tangent.shape;
  const channels = dim(shape, -1);
  const columns = tf.transpose(tf.reshape(tangent, [q, -1, channels]), [1, 0, 2]);
  return tf.reshape(columns, [...shape.slice(0, -1), q * channels]);
}

/** The inverse: `[..., q·c]` to `[q, ..., c]`. */
function tangentsOfLastAxis(tensor: tf.Tensor, q: number): tf.Tensor {
  const channels = dim(tensor.shape, -1) / q;
  const rows = tf.transpose(tf.reshape(tensor, [-1, q, channels]), [1, 0, 2]);
  return tf.reshape(rows, stacked(q, [...tensor.shape.slice(0, -1), channels]));
}

export const CONVOLUTION: Readonly<Record<string, Rule>> = {
  Conv2D: conv2d,
  Conv2DBackpropInput: conv2dBackpropInput,
  Conv2DBackpropFilter: conv2dBackpropFilter,
};
