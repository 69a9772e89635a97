/**
 * Operations for models whose derivatives are cheaper than those of their stock counterparts: forward mode over the stock
 * ones works as well, and gives the same numbers.
 */

import * as tf from '@tensorflow/tfjs-core';
import { runKernel } from '../engine.ts';
import { runPrimitive } from './primitives.ts';

/**
 * Max pooling over windows of 2 × 2 with stride 2; an odd last row or column is left out.
 * @param x `[batch, height, width, channels]`, float32.
 * @returns `[batch, ⌊height/2⌋, ⌊width/2⌋, channels]`.
 */
export function maxPool2x2(x: tf.Tensor4D): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const even: [number, number, number, number] = [
    batch,
    height - (height % 2),
    width - (width % 2),
    channels,
  ];
  const pool = tf.customGrad((input, save) => {
    const [y, choice] = runPrimitive<tf.Tensor[]>('MaxPool2x2', { x: input as tf.Tensor }) as [
      tf.Tensor,
      tf.Tensor,
    ];
    (save as tf.GradSaveFunc)([choice]);
    return {
      value: y,
      gradFunc: (dy, [saved]) =>
        runPrimitive<tf.Tensor>('MaxPool2x2Grad', { dy, choice: saved as tf.Tensor }),
    };
  });
  return pool(tf.util.arraysEqual(x.shape, even) ? x : tf.slice(x, 0, even)) as tf.Tensor4D;
}

/**
 * Max pooling over windows of 2 × 2 of a convolution with stride 1: `maxPool2x2(tf.conv2d(x, filter, 1, pad))`. Tangents of
 * the filter are pooled before they are arranged, and what x and the filter add is pooled before it is added.
 * @param x `[batch, height, width, channels]`, float32.
 * @param filter `[filterHeight, filterWidth, channels, channelsOut]`.
 */
export function convMaxPool2x2(x: tf.Tensor4D, filter: tf.Tensor4D, pad: 'valid' | 'same'): tf.Tensor4D {
  const { outHeight, outWidth } = tf.backend_util.computeConv2DInfo(x.shape, filter.shape, 1, 1, pad);
  if (outHeight % 2 === 1 || outWidth % 2 === 1) return maxPool2x2(tf.conv2d(x, filter, 1, pad));
  const attributes = { strides: 1, pad, dataFormat: 'NHWC', dilations: 1 };
  return runPrimitive<tf.Tensor[]>('ConvMaxPool2x2', { x, filter }, attributes)[0] as tf.Tensor4D;
}

tf.registerGradient({
  kernelName: 'ConvMaxPool2x2',
  inputsToSave: ['x', 'filter'],
  outputsToSave: [false, true],
  gradFunc: (dys, saved, attributes) => {
    const [x, filter, choice] = saved as [tf.Tensor4D, tf.Tensor4D, tf.Tensor];
    const dy = (dys as tf.Tensor[])[0] as tf.Tensor;
    // Here and not in the functions below, of which each runs in a scope of its own: both use it.
    const unpooled = runPrimitive<tf.Tensor>('MaxPool2x2Grad', { dy, choice });
    return {
      x: () =>
        runKernel('Conv2DBackpropInput', { dy: unpooled, filter }, { ...attributes, inputShape: x.shape }),
      filter: () =>
        runKernel('Conv2DBackpropFilter', { x, dy: unpooled }, { ...attributes, filterShape: filter.shape }),
    };
  },
});

/**
 * x where x > 0, else alpha · x.
 * @param alpha in [0, 1].
 */
export function leakyRelu<T extends tf.Tensor>(x: T, alpha: number): T {
  checkSlope(alpha);
  const activate = tf.customGrad((input, save) => {
    const [y, slope] = runPrimitive<tf.Tensor[]>(
      'LeakyReluWithSlope',
      { x: input as tf.Tensor },
      { alpha },
    ) as [tf.Tensor, tf.Tensor];
    (save as tf.GradSaveFunc)([slope]);
    return { value: y, gradFunc: (dy, [saved]) => tf.mul(dy, saved as tf.Tensor) };
  });
  return activate(x) as T;
}

/**
 * {@link leakyRelu} of x + bias.
 * @param x `[..., channels]`, float32.
 * @param bias `[channels]`.
 * @param alpha in [0, 1].
 */
export function biasLeakyRelu<T extends tf.Tensor>(x: T, bias: tf.Tensor1D, alpha: number): T {
  checkSlope(alpha);
  const activate = tf.customGrad((input, shift, save) => {
    const inputs = { x: input as tf.Tensor, bias: shift as tf.Tensor };
    const [y, slope] = runPrimitive<tf.Tensor[]>('BiasLeakyRelu', inputs, { alpha }) as [
      tf.Tensor,
      tf.Tensor,
    ];
    (save as tf.GradSaveFunc)([slope]);
    return {
      value: y,
      gradFunc: (dy, [saved]) => {
        const gradients = runPrimitive<tf.Tensor[]>('BiasLeakyReluGrad', { dy, slope: saved as tf.Tensor });
        const [dx, dbias] = gradients as [tf.Tensor, tf.Tensor];
        return [dx, tf.reshape(dbias, bias.shape)];
      },
    };
  });
  return activate(x, bias) as T;
}

function checkSlope(alpha: number): void {
  if (!(alpha >= 0 && alpha <= 1))
    throw new RangeError(`the slope ${alpha} of a leaky ReLU is not in [0, 1]`);
}
