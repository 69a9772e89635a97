/** Zeros around and between the elements of images `[batch, height, width, channels]`, as gradients need them. */

import * as tf from '@tensorflow/tfjs-core';

export type Shape4D = [number, number, number, number];
type Info = tf.backend_util.Conv2DInfo;

/** Attributes of a convolution. */
export interface ConvolutionAttributes {
  readonly strides: number | [number, number];
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  /** Of the filter; tfjs's own gradients leave it out, which means 1. */
  readonly dilations?: number | [number, number];
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/** Sizes of a convolution, or of a depthwise one. */
export function convolutionInfo(
  inputShape: Shape4D,
  filterShape: Shape4D,
  { strides, pad, dilations = 1, dimRoundingMode }: ConvolutionAttributes,
  depthwise = false,
): Info {
  return tf.backend_util.computeConv2DInfo(
    inputShape,
    filterShape,
    strides,
    dilations,
    pad,
    dimRoundingMode,
    depthwise,
  );
}

/**
 * The part of the input that a convolution reads, with the zeros that it reads around it: a filter tap at (i, j) meets
 * rows i·dilation, i·dilation + stride, … of the result, and columns likewise.
 */
export function readPart(x: tf.Tensor4D, info: Info): tf.Tensor4D {
  const { padInfo, inHeight, inWidth } = info;
  const height = (info.outHeight - 1) * info.strideHeight + info.effectiveFilterHeight;
  const width = (info.outWidth - 1) * info.strideWidth + info.effectiveFilterWidth;
  const bottom = height - inHeight - padInfo.top;
  const right = width - inWidth - padInfo.left;
  return padOrCut(x, padInfo.top, bottom, padInfo.left, right);
}

/**
 * dy `[batch, outHeight, outWidth, c]` with zeros between (for the stride) and around, such that a convolution of stride
 * 1 without padding, by the flipped and equally dilated filter, has the height and width of the input.
 */
export function spreadGradient(dy: tf.Tensor4D, info: Info): tf.Tensor4D {
  const spread = insertZeros(dy, info.strideHeight, info.strideWidth);
  const reachHeight = info.effectiveFilterHeight - 1;
  const reachWidth = info.effectiveFilterWidth - 1;
  const top = reachHeight - info.padInfo.top;
  const left = reachWidth - info.padInfo.left;
  const bottom = info.inHeight + reachHeight - spread.shape[1] - top;
  const right = info.inWidth + reachWidth - spread.shape[2] - left;
  return padOrCut(spread, top, bottom, left, right);
}

/** Puts `step - 1` zeros between neighbours along height and width. */
function insertZeros(x: tf.Tensor4D, stepHeight: number, stepWidth: number): tf.Tensor4D {
  if (stepHeight === 1 && stepWidth === 1) return x;
  const [b, h, w, c] = x.shape;
  const apart = tf.pad(tf.reshape(x, [b * h, 1, w, 1, c]), [
    [0, 0],
    [0, stepHeight - 1],
    [0, 0],
    [0, stepWidth - 1],
    [0, 0],
  ]);
  const whole = tf.reshape(apart, [b, h * stepHeight, w * stepWidth, c]) as tf.Tensor4D;
  return tf.slice(whole, [0, 0, 0, 0], [b, (h - 1) * stepHeight + 1, (w - 1) * stepWidth + 1, c]);
}

/** Pads height and width with zeros; a negative amount cuts off. */
function padOrCut(x: tf.Tensor4D, top: number, bottom: number, left: number, right: number): tf.Tensor4D {
  const cut = (amount: number) => Math.max(0, -amount);
  const add = (amount: number) => Math.max(0, amount);
  const [b, h, w, c] = x.shape;
  let y = x;
  if ([top, bottom, left, right].some((amount) => amount < 0)) {
    const size: Shape4D = [b, h - cut(top) - cut(bottom), w - cut(left) - cut(right), c];
    y = tf.slice(y, [0, cut(top), cut(left), 0], size);
  }
  if ([top, bottom, left, right].every((amount) => amount <= 0)) return y;
  return tf.pad(y, [
    [0, 0],
    [add(top), add(bottom)],
    [add(left), add(right)],
    [0, 0],
  ]);
}
