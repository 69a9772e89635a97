import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noise } from '../../ad/rules/rule-case.ts';
import { initBackend } from '../../backend/select.ts';
import {
  dense,
  input,
  type KerasLayer,
  kerasModel,
  largestDifference,
  layer,
  sequential,
  tensors,
} from './testing.ts';

let home: string;
beforeAll(async () => {
  await initBackend({ backend: 'cpu', log: () => {} });
  home = await mkdtemp(join(tmpdir(), 'keras-layers-'));
});
afterAll(() => rm(home, { recursive: true }));

type Reference = (x: tf.Tensor, weights: tf.Tensor[]) => tf.Tensor;

/** `max_value`, x or `slope`·(x − `threshold`). */
const relu = (x: tf.Tensor, { max = Number.POSITIVE_INFINITY, slope = 0, threshold = 0 }): tf.Tensor => {
  const values = Array.from(x.dataSync(), (value) =>
    value > threshold ? Math.min(value, max) : slope * (value - threshold),
  );
  return tf.tensor(values, x.shape);
};

/** A transposed convolution by its definition: each number of the input adds a kernel to the output. */
function transposed(
  x: tf.Tensor,
  kernel: tf.Tensor,
  stride: number,
  margin: number,
  extra: number,
): tf.Tensor {
  const [batch = 0, height = 0, width = 0, channels = 0] = x.shape;
  const [size = 0, , filters = 0] = kernel.shape;
  const longOf = (length: number) => (length - 1) * stride + size - 2 * margin + extra;
  const y = tf.buffer([batch, longOf(height), longOf(width), filters]);
  const [xs, ks] = [x.arraySync() as number[][][][], kernel.arraySync() as number[][][][]];
  const each = (length: number, visit: (i: number) => void) => {
    for (let i = 0; i < length; i++) visit(i);
  };
  // Keras's margin of 'same' is what TensorFlow's convolution of that length adds before the first row.
  const before =
    margin === 0 ? 0 : Math.floor(Math.max((height - 1) * stride + size - longOf(height), 0) / 2);
  each(batch, (n) =>
    each(height, (i) =>
      each(width, (j) =>
        each(size, (a) =>
          each(size, (b) =>
            each(filters, (f) =>
              each(channels, (c) => {
                const [row, column] = [i * stride + a - before, j * stride + b - before];
                if (row < 0 || column < 0 || row >= longOf(height) || column >= longOf(width)) return;
                const added = (xs[n]?.[i]?.[j]?.[c] as number) * (ks[a]?.[b]?.[f]?.[c] as number);
                y.set(y.get(n, row, column, f) + added, n, row, column, f);
              }),
            ),
          ),
        ),
      ),
    ),
  );
  return y.toTensor();
}

const channelsFirst = (x: tf.Tensor) => tf.transpose(x, [0, 3, 1, 2]);
const channelsLast = (x: tf.Tensor) => tf.transpose(x, [0, 2, 3, 1]);

describe('a layer of Keras 2', () => {
  it.each<[string, KerasLayer, number[], Reference]>([
    [
      'ReLU with a slope, a threshold and a limit',
      layer('ReLU', 'l', { negative_slope: 0.2, threshold: 0.1, max_value: 0.4 }),
      [6],
      (x) => relu(x, { slope: 0.2, threshold: 0.1, max: 0.4 }),
    ],
    [
      'ThresholdedReLU',
      layer('ThresholdedReLU', 'l', { theta: 0.3 }),
      [6],
      (x) => relu(x, { threshold: 0.3 }),
    ],
    [
      'Conv1D with dilation',
      layer('Conv1D', 'l', {
        filters: 2,
        kernel_size: [3],
        strides: [1],
        padding: 'same',
        dilation_rate: [2],
        groups: 1,
        activation: 'relu',
      }),
      [9, 2],
      (x, [kernel, bias]) =>
        tf.relu(
          tf.add(tf.conv1d(x as tf.Tensor3D, kernel as tf.Tensor3D, 1, 'same', 'NWC', 2), bias as tf.Tensor),
        ),
    ],
    [
      'Conv2D with dilation',
      layer('Conv2D', 'l', {
        filters: 3,
        kernel_size: [3, 2],
        padding: 'valid',
        dilation_rate: [2, 3],
        activation: 'tanh',
      }),
      [7, 8, 2],
      (x, [kernel, bias]) =>
        tf.tanh(
          tf.add(
            tf.conv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, 1, 'valid', 'NHWC', [2, 3]),
            bias as tf.Tensor,
          ),
        ),
    ],
    [
      'DepthwiseConv2D with dilation and channels first',
      layer('DepthwiseConv2D', 'l', {
        kernel_size: [3, 3],
        padding: 'valid',
        dilation_rate: [2, 2],
        data_format: 'channels_first',
        depth_multiplier: 2,
        use_bias: false,
      }),
      [2, 7, 6],
      (x, [kernel]) =>
        channelsFirst(
          tf.depthwiseConv2d(channelsLast(x) as tf.Tensor4D, kernel as tf.Tensor4D, 1, 'valid', 'NHWC', 2),
        ),
    ],
    [
      'SeparableConv2D with dilation, and with the kernel options that Keras writes for it',
      layer('SeparableConv2D', 'l', {
        filters: 3,
        kernel_size: [3, 3],
        padding: 'same',
        dilation_rate: [2, 2],
        kernel_initializer: { class_name: 'GlorotUniform', config: {} },
        kernel_regularizer: null,
        use_bias: false,
      }),
      [6, 6, 2],
      (x, [depthwise, pointwise]) =>
        tf.separableConv2d(
          x as tf.Tensor4D,
          depthwise as tf.Tensor4D,
          pointwise as tf.Tensor4D,
          1,
          'same',
          2,
        ),
    ],
    ...[
      [3, 2, 'same', 1, 0],
      [3, 2, 'same', 1, 1],
      [4, 2, 'same', 2, 1],
      [2, 3, 'valid', 0, 2],
    ].map(([size, stride, padding, margin, extra]): [string, KerasLayer, number[], Reference] => [
      `Conv2DTranspose with kernel ${size}, stride ${stride}, padding ${padding} and output_padding ${extra}`,
      layer('Conv2DTranspose', 'l', {
        filters: 3,
        kernel_size: [size, size],
        strides: [stride, stride],
        padding,
        output_padding: [extra, extra],
        dilation_rate: [1, 1],
        groups: 1,
        activation: 'linear',
      }),
      [4, 4, 2],
      (x, [kernel, bias]) =>
        tf.add(
          transposed(x, kernel as tf.Tensor, stride as number, margin as number, extra as number),
          bias as tf.Tensor,
        ),
    ]),
    [
      'UpSampling2D, bilinear',
      layer('UpSampling2D', 'l', { size: [2, 3], interpolation: 'bilinear', data_format: 'channels_last' }),
      [3, 4, 2],
      (x) => tf.image.resizeBilinear(x as tf.Tensor4D, [6, 12], false, true),
    ],
    [
      'UpSampling2D, bilinear with channels first',
      layer('UpSampling2D', 'l', { size: 2, interpolation: 'bilinear', data_format: 'channels_first' }),
      [2, 3, 4],
      (x) => channelsFirst(tf.image.resizeBilinear(channelsLast(x) as tf.Tensor4D, [6, 8], false, true)),
    ],
    [
      'BatchNormalization along the first axis',
      layer('BatchNormalization', 'l', { axis: [1], epsilon: 0.01, momentum: 0.9 }),
      [2, 3, 4],
      (x, [gamma, beta]) => {
        // The fourth and fifth weights, after the kernel at the end.
        const mean = tf.tensor([0, 1].map((k) => noise(4, k)));
        const variance = tf.tensor([0, 1].map((k) => noise(5, k) ** 2 + 0.1));
        const along = (values: tf.Tensor) => tf.reshape(values, [2, 1, 1]);
        const standard = tf.div(tf.sub(x, along(mean)), tf.sqrt(tf.add(along(variance), 0.01)));
        return tf.add(tf.mul(standard, along(gamma as tf.Tensor)), along(beta as tf.Tensor));
      },
    ],
    [
      'BatchNormalization without a scale',
      layer('BatchNormalization', 'l', { axis: [2], scale: false, epsilon: 0.01 }),
      [3, 2],
      (x, [beta]) => {
        const mean = tf.tensor([0, 1].map((k) => noise(3, k)));
        const variance = tf.tensor([0, 1].map((k) => noise(4, k) ** 2 + 0.1));
        return tf.add(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 0.01))), beta as tf.Tensor);
      },
    ],
    ...[
      { scale: false, center: true },
      { scale: true, center: false },
      { scale: false, center: false },
    ].map((given): [string, KerasLayer, number[], Reference] => [
      `LayerNormalization with scale ${given.scale} and center ${given.center}`,
      layer('LayerNormalization', 'l', { axis: [2], epsilon: 0.01, ...given }),
      [3, 4],
      (x, [values]) => {
        const { mean, variance } = tf.moments(x, 2, true);
        const standard = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 0.01)));
        if (given.scale) return tf.mul(standard, values as tf.Tensor);
        return given.center ? tf.add(standard, values as tf.Tensor) : standard;
      },
    ]),
    ['Flatten of a vector', layer('Flatten', 'l', { data_format: 'channels_last' }), [6], (x) => x],
    [
      'Reshape to a length that follows from the others',
      layer('Reshape', 'l', { target_shape: [3, -1, 2] }),
      [6, 2],
      (x) => x,
    ],
  ])('%s', async (_name, under, shape, reference) => {
    const flatten = shape.length > 1 ? [layer('Flatten', 'flatten')] : [];
    const model = await kerasModel(
      home,
      sequential(input(shape), under, ...flatten, dense(3, { use_bias: false })),
      shape,
      3,
    );
    tf.tidy(() => {
      const weights = tensors(model);
      const kernel = weights.at(-1) as tf.Tensor2D;
      const x = tf.randomUniform([2, ...shape], -1, 1, 'float32', 1);
      const expected = tf.matMul(tf.reshape(reference(x, weights), [2, -1]) as tf.Tensor2D, kernel);
      const size = tf.max(tf.abs(expected)).dataSync()[0] as number;
      expect(largestDifference(model.apply(weights, x), expected) / size).toBeLessThan(1e-5);
    });
  });
});
