/**
 * Kernels of our own with several outputs: the operation's value, and what its derivatives are made of. The backward pass
 * and all tangents share the latter, which stock kernels would compute anew (docs/method.md, section 3). Written in
 * kernels that every backend has; the native runtime (`native-kernels.ts`) and wasm (`wasm-kernels.ts`) have faster ones. The
 * JVP rules stand in `rules/primitives.ts`.
 *
 * `choice` says which element of each window max pooling took: for the backend's own kernels only, in a form of its own.
 */

import * as tf from '@tensorflow/tfjs-core';
import { currentBackend, runKernel } from '../engine.ts';
import { dim } from '../rules/rule.ts';
import { nativeKernels } from './native-kernels.ts';
import { wasmKernels } from './wasm-kernels.ts';

/** Attributes of AvgPool and AvgPoolGrad for windows of 2 × 2. */
const PAIRS = { filterSize: 2, strides: 2, pad: 'valid' } as const;

export type Kernel = (
  inputs: Readonly<Record<string, tf.Tensor>>,
  attributes: Readonly<Record<string, unknown>>,
) => tf.Tensor | tf.Tensor[];

const KERNELS: Readonly<Record<string, Kernel>> = {
  /** x `[b, h, w, c]`, h and w even → y `[b, h/2, w/2, c]`, and choice. (Here: like x, 4 at the chosen element, else 0.) */
  MaxPool2x2: ({ x }) => maxPool2x2(x as tf.Tensor),
  /** x `[r·b, h, w, c]`, choice → the chosen elements, `[r·b, h/2, w/2, c]`, of each of r batches. */
  MaxPool2x2Pick: ({ x, choice }) =>
    runKernel('AvgPool', { x: chosen(x as tf.Tensor, choice as tf.Tensor) }, PAIRS),
  /** The same from x `[b, h, w, r·c]`, where the r batches lie side by side. */
  MaxPool2x2PickWide: ({ x, choice }) => {
    const wide = x as tf.Tensor;
    const channels = dim((choice as tf.Tensor).shape, -1);
    const r = dim(wide.shape, -1) / channels;
    const apart = tf.transpose(tf.reshape(wide, [-1, r, channels]), [1, 0, 2]);
    const batches = tf.reshape(apart, [r * dim(wide.shape, 0), ...wide.shape.slice(1, -1), channels]);
    return runKernel('MaxPool2x2Pick', { x: batches, choice: choice as tf.Tensor });
  },
  /** dy `[r·b, h/2, w/2, c]`, choice → dx `[r·b, h, w, c]`, of each of r batches. */
  MaxPool2x2Grad: ({ dy, choice }) => {
    const [, ...image] = (choice as tf.Tensor).shape;
    const { dataId, dtype } = choice as tf.Tensor;
    // Of its input it reads no more than the shape.
    const input = { dataId, dtype, shape: [(dy as tf.Tensor).shape[0], ...image] } as tf.Tensor;
    return chosen(runKernel('AvgPoolGrad', { dy: dy as tf.Tensor, input }, PAIRS), choice as tf.Tensor);
  },
  /** x `[b, ..., c]`, filter → max pooling of the convolution, and choice; attributes of Conv2D. */
  ConvMaxPool2x2: ({ x, filter }, attributes) =>
    runKernel<tf.Tensor[]>('MaxPool2x2', {
      x: runKernel('Conv2D', { x: x as tf.Tensor, filter: filter as tf.Tensor }, attributes),
    }),
  /** x → y, and the slope like x: 1 above 0, else alpha. */
  LeakyReluWithSlope: ({ x }, { alpha }) => {
    const slope = tf.maximum(tf.cast(tf.greater(x as tf.Tensor, 0), 'float32'), alpha as number);
    return [tf.mul(x as tf.Tensor, slope), slope];
  },
  /** x `[..., c]`, bias `[c]` → y, the leaky ReLU of x + bias, and the slope like x. */
  BiasLeakyRelu: ({ x, bias }, { alpha }) =>
    runKernel('LeakyReluWithSlope', { x: tf.add(x as tf.Tensor, bias as tf.Tensor) }, { alpha }),
  /** Tangents x `[r, ...]`, bias `[r, c]`, and the slope → tangents of y. */
  BiasLeakyReluTangent: ({ x, bias, slope }) => {
    const { rank } = slope as tf.Tensor;
    const [r = 1, channels = 1] = (bias as tf.Tensor).shape;
    const aligned = tf.reshape(bias as tf.Tensor, [r, ...new Array<number>(rank - 1).fill(1), channels]);
    return tf.mul(tf.add(x as tf.Tensor, aligned), slope as tf.Tensor);
  },
  /** dy of r times the slope's size, slope → dx like dy, and the gradients of the bias, `[r, c]`. */
  BiasLeakyReluGrad: ({ dy, slope }) => {
    const dx = chosen(dy as tf.Tensor, slope as tf.Tensor);
    const r = dx.size / (slope as tf.Tensor).size;
    return [dx, tf.sum(tf.reshape(dx, [r, -1, dim(dx.shape, -1)]), 1)];
  },
  /** logits, labels `[b, classes]` → losses `[b]`, and the softmax `[b, classes]`. */
  SoftmaxCrossEntropy: ({ logits, labels }) => {
    const shifted = tf.sub(logits as tf.Tensor, tf.max(logits as tf.Tensor, -1, true));
    const exponentials = tf.exp(shifted);
    const sum = tf.sum(exponentials, -1, true);
    const losses = tf.sum(tf.mul(tf.sub(tf.log(sum), shifted), labels as tf.Tensor), -1);
    return [losses, tf.div(exponentials, sum)];
  },
};

const registered = new Set<string>();

/** Makes the kernels known to a backend; again does nothing. */
export function registerPrimitives(backendName: string): void {
  if (registered.has(backendName)) return;
  registered.add(backendName);
  const kernels = { ...KERNELS, ...nativeKernels(backendName), ...wasmKernels(backendName) };
  for (const [kernelName, kernel] of Object.entries(kernels)) {
    if (tf.getKernel(kernelName, backendName) !== undefined) return;
    tf.registerKernel({
      kernelName,
      backendName,
      kernelFunc: ({ inputs, attrs = {} }) =>
        tf.tidy(() => kernel(inputs as Record<string, tf.Tensor>, attrs as Record<string, unknown>)),
    });
  }
}

/** Runs one of the kernels above on the backend in use. */
export function runPrimitive<T extends tf.Tensor | tf.Tensor[]>(
  kernel: keyof typeof KERNELS,
  inputs: Readonly<Record<string, tf.Tensor>>,
  attributes: object = {},
): T {
  registerPrimitives(currentBackend());
  return runKernel<T>(kernel, inputs, attributes);
}

/**
 * By halves: the better of two columns, then of two rows. Of equal elements the left one is chosen, then the upper one,
 * which is the first in row-major order, as TensorFlow has it.
 */
function maxPool2x2(x: tf.Tensor): [tf.Tensor, tf.Tensor] {
  const [batch = 0, height = 0, width = 0, channels = 0] = x.shape;
  const [outHeight, outWidth] = [height / 2, width / 2];
  const halves = (tensor: tf.Tensor) => tf.split(tensor, 2, 1) as [tf.Tensor, tf.Tensor];
  const [left, right] = halves(tf.reshape(x, [batch * height * outWidth, 2 * channels]));
  const [upper, lower] = halves(
    tf.reshape(tf.maximum(left, right), [batch * outHeight, 2 * outWidth * channels]),
  );
  const four = tf.fill(upper.shape, 4);
  const toLower = whereAboveZero(four, tf.sub(lower, upper));
  const toRow = tf.reshape(tf.concat([tf.sub(four, toLower), toLower], 1), left.shape);
  const toRight = whereAboveZero(toRow, tf.sub(right, left));
  const mask = tf.reshape(tf.concat([tf.sub(toRow, toRight), toRight], 1), x.shape);
  return [tf.reshape(tf.maximum(upper, lower), [batch, outHeight, outWidth, channels]), mask];
}

/** `values` where `condition` > 0, else 0. */
const whereAboveZero = (values: tf.Tensor, condition: tf.Tensor): tf.Tensor =>
  tf.mul(values, tf.cast(tf.greater(condition, 0), 'float32'));

/** The product of each of r batches, one after the other, with the mask of one. */
function chosen(batches: tf.Tensor, mask: tf.Tensor): tf.Tensor {
  return tf.reshape(tf.mul(tf.reshape(batches, [-1, ...mask.shape]), mask), batches.shape);
}
