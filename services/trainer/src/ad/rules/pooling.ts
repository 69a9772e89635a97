/** Two-dimensional pooling and its gradients. */

import * as tf from '@tensorflow/tfjs-core';
import { runKernel } from '../engine.ts';
import {
  each,
  fold,
  foldedShape,
  indicator,
  type Rule,
  rule,
  type Tangent,
  together,
  unfold,
} from './rule.ts';

export interface PoolingAttributes {
  readonly filterSize: number | [number, number];
  readonly strides: number | [number, number];
  readonly pad: 'valid' | 'same' | number;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/**
 * The tangent of the largest element of each window, the first of equal ones. Position by position within the window, so
 * that windows may overlap.
 */
const maxPool = rule<'x', PoolingAttributes>(
  ({ primals: { x }, tangents, q, output, attributes }): Tangent => {
    if (tangents.x === undefined) return undefined;
    const positions = windowPositions(x.shape, attributes);
    const candidates = positions(x, Number.NEGATIVE_INFINITY);
    const directions = positions(fold(tangents.x), 0);
    let open = tf.onesLike(output);
    let tangent: Tangent;
    candidates.forEach((candidate, k) => {
      const chosen = tf.mul(open, indicator(tf.equal(candidate, output)));
      open = tf.sub(open, chosen);
      const share = tf.mul(unfold(directions[k] as tf.Tensor, q), chosen);
      tangent = tangent ? tf.add(tangent, share) : share;
    });
    return tangent;
  },
);

/** Linear in dy. In x it is piecewise constant: which element is the largest does not change with its tangent. */
const maxPoolGrad = rule<'dy' | 'input' | 'output', PoolingAttributes>(
  ({ primals: { input, output }, tangents, attributes }): Tangent =>
    tangents.dy &&
    together(each(tangents.dy).map((dy) => runKernel('MaxPoolGrad', { dy, input, output }, attributes))),
);

/**
 * Splits images into as many tensors `[b, outHeight, outWidth, c]` as a window has positions, row-major.
 * @param shape of the images, `[b, height, width, c]`; the batch of the images that are split may be another.
 */
function windowPositions(
  shape: readonly number[],
  { filterSize, strides, pad, dimRoundingMode }: PoolingAttributes,
): (images: tf.Tensor, outside: number) => tf.Tensor[] {
  const info = tf.backend_util.computePool2DInfo(
    shape as [number, number, number, number],
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  const { filterHeight, filterWidth, strideHeight, strideWidth, outHeight, outWidth, inChannels } = info;
  const { top, bottom, left, right } = info.padInfo;
  return (images, outside) => {
    const padded = tf.pad(
      images,
      [
        [0, 0],
        [top, bottom],
        [left, right],
        [0, 0],
      ],
      outside,
    );
    const batch = images.shape[0] ?? 0;
    return Array.from({ length: filterHeight * filterWidth }, (_, k) => {
      const [row, column] = [Math.floor(k / filterWidth), k % filterWidth];
      const end = [
        row + (outHeight - 1) * strideHeight + 1,
        column + (outWidth - 1) * strideWidth + 1,
      ] as const;
      return tf.stridedSlice(
        padded,
        [0, row, column, 0],
        [batch, ...end, inChannels],
        [1, strideHeight, strideWidth, 1],
      );
    });
  };
}

const avgPool = rule<'x', PoolingAttributes>(
  ({ tangents, q, attributes }) =>
    tangents.x && unfold(runKernel('AvgPool', { x: fold(tangents.x) }, attributes), q),
);

const avgPoolGrad = rule<'dy' | 'input', PoolingAttributes>(
  ({ primals: { input }, tangents, q, attributes }) =>
    tangents.dy && avgPoolGradOf(tangents.dy, input, q, attributes),
);

/** AvgPoolGrad of each tangent of dy. */
export function avgPoolGradOf(dy: tf.Tensor, input: tf.Tensor, q: number, attributes: object): tf.Tensor {
  return unfold(
    runKernel(
      'AvgPoolGrad',
      { dy: fold(dy), input: withShape(input, foldedShape(input.shape, q)) },
      attributes,
    ),
    q,
  );
}

/** For AvgPoolGrad, which reads its input's shape alone: saves a tensor of zeros as large as all tangents. */
function withShape({ dataId, dtype }: tf.Tensor, shape: number[]): tf.Tensor {
  return { dataId, dtype, shape } as tf.Tensor;
}

export const POOLING: Readonly<Record<string, Rule>> = {
  MaxPool: maxPool,
  MaxPoolGrad: maxPoolGrad,
  AvgPool: avgPool,
  AvgPoolGrad: avgPoolGrad,
};
