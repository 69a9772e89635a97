/**
 * Gradients of average pooling. The package's divide by the size of the window, while the pooling itself divides by the
 * number of elements that a window has inside the image: wrong wherever there is padding.
 */

import * as tf from '@tensorflow/tfjs-core';
import type { Compute } from './kernel.ts';

interface Attributes<Sizes> {
  readonly filterSize: number | Sizes;
  readonly strides: number | Sizes;
  readonly pad: 'valid' | 'same' | number;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

export const averagePoolGrad: Compute<Attributes<[number, number]>> = ({ dy, input }, attributes, stock) => {
  const { filterSize, strides, pad, dimRoundingMode } = attributes;
  const [x, gradient] = [input as tf.Tensor, dy as tf.Tensor];
  const shape = x.shape as [number, number, number, number];
  const info = tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
  const { filterHeight, filterWidth, strideHeight, strideWidth, padInfo } = info;
  const scale = shares([
    [info.inHeight, info.outHeight, filterHeight, strideHeight, padInfo.top],
    [info.inWidth, info.outWidth, filterWidth, strideWidth, padInfo.left],
  ]);
  return stock({ dy: tf.mul(gradient, scale), input: x }, attributes);
};

export const averagePool3dGrad: Compute<Attributes<[number, number, number]>> = (
  { dy, input },
  attributes,
  stock,
) => {
  const { filterSize, strides, pad, dimRoundingMode } = attributes;
  const [x, gradient] = [input as tf.Tensor, dy as tf.Tensor];
  const shape = x.shape as [number, number, number, number, number];
  const info = tf.backend_util.computePool3DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
  const { filterDepth, filterHeight, filterWidth, strideDepth, strideHeight, strideWidth, padInfo } = info;
  const scale = shares([
    [info.inDepth, info.outDepth, filterDepth, strideDepth, padInfo.front],
    [info.inHeight, info.outHeight, filterHeight, strideHeight, padInfo.top],
    [info.inWidth, info.outWidth, filterWidth, strideWidth, padInfo.left],
  ]);
  return stock({ dy: tf.mul(gradient, scale), input: x }, attributes);
};

type Axis = readonly [length: number, windows: number, size: number, stride: number, before: number];

/** Size of a window over the number of its elements inside, `[1, ...windows along each axis, 1]`. */
function shares(axes: readonly Axis[]): tf.Tensor {
  return axes.reduce<tf.Tensor>(
    (product, [length, windows, size, stride, before], axis) => {
      const share = Array.from({ length: windows }, (_, window) => {
        const start = window * stride - before;
        return size / (Math.min(length, start + size) - Math.max(0, start));
      });
      const shape = [1, ...axes.map((_, i) => (i === axis ? windows : 1)), 1];
      return tf.mul(product, tf.tensor(share, shape));
    },
    tf.ones(new Array<number>(axes.length + 2).fill(1)),
  );
}
