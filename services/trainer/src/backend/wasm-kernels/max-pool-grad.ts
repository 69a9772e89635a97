/**
 * Gradients of max pooling in images and in volumes. In the package's, the running maximum of a window starts above zero,
 * so that a window whose maximum is not positive sends its gradient to the wrong element.
 */

import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';

interface PoolAttributes {
  readonly filterSize: number | [number, number];
  readonly strides: number | [number, number];
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

interface VolumeAttributes extends Pick<PoolAttributes, 'dimRoundingMode'> {
  readonly filterSize: number | [number, number, number];
  readonly strides: number | [number, number, number];
  readonly pad: 'valid' | 'same' | number;
}

/** How windows lie along one axis. */
interface Axis {
  readonly length: number;
  readonly windows: number;
  readonly size: number;
  readonly stride: number;
  readonly before: number;
}

export function registerMaxPoolGrad(): void {
  register<PoolAttributes>('MaxPoolGrad', (shape, { filterSize, strides, pad, dimRoundingMode }) => {
    const image = shape as [number, number, number, number];
    const info = tf.backend_util.computePool2DInfo(image, filterSize, strides, 1, pad, dimRoundingMode);
    return [{ length: 1, windows: 1, size: 1, stride: 1, before: 0 }, ...planeAxes(info)];
  });
  register<VolumeAttributes>('MaxPool3DGrad', (shape, { filterSize, strides, pad, dimRoundingMode }) => {
    const volume = shape as [number, number, number, number, number];
    const info = tf.backend_util.computePool3DInfo(volume, filterSize, strides, 1, pad, dimRoundingMode);
    const depth = {
      length: info.inDepth,
      windows: info.outDepth,
      size: info.filterDepth,
      stride: info.strideDepth,
      before: info.padInfo.front,
    };
    return [depth, ...planeAxes(info)];
  });
}

type Axes = readonly [depth: Axis, rows: Axis, columns: Axis];

const planeAxes = (info: tf.backend_util.Conv2DInfo | tf.backend_util.Conv3DInfo): [Axis, Axis] => [
  {
    length: info.inHeight,
    windows: info.outHeight,
    size: info.filterHeight,
    stride: info.strideHeight,
    before: info.padInfo.top,
  },
  {
    length: info.inWidth,
    windows: info.outWidth,
    size: info.filterWidth,
    stride: info.strideWidth,
    before: info.padInfo.left,
  },
];

function register<Attributes>(
  kernelName: string,
  axesOf: (shape: number[], attributes: Attributes) => Axes,
): void {
  tf.unregisterKernel(kernelName, 'wasm');
  tf.registerKernel({
    kernelName,
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs, backend }) => {
      const { dy, input } = inputs as { dy: tf.TensorInfo; input: tf.TensorInfo };
      return maxPoolGrad(
        dy,
        input,
        axesOf(input.shape, attrs as unknown as Attributes),
        backend as BackendWasm,
      );
    },
  });
}

/** dx, of the input's shape: each dy goes to the first largest element of its window, in row-major order. */
function maxPoolGrad(
  dy: tf.TensorInfo,
  input: tf.TensorInfo,
  [depth, rows, columns]: Axes,
  backend: BackendWasm,
): tf.TensorInfo {
  const output = backend.makeOutput(input.shape, 'float32');
  // Views of the wasm memory: taken after the allocation, which may move it.
  const dx = backend.typedArrayFromHeap(output).fill(0);
  const x = backend.typedArrayFromHeap(input);
  const gradient = backend.typedArrayFromHeap(dy);

  const channels = input.shape.at(-1) ?? 1;
  const volume = depth.length * rows.length * columns.length * channels;
  let position = 0;
  for (let start = 0; start < x.length; start += volume) {
    for (let d = 0; d < depth.windows; d++) {
      for (let r = 0; r < rows.windows; r++) {
        for (let c = 0; c < columns.windows; c++) {
          for (let channel = 0; channel < channels; channel++) {
            const place = largest(x, start + channel, channels, [depth, rows, columns], [d, r, c]);
            // No place: a window of padding or of NaN only.
            if (place >= 0) dx[place] = (dx[place] as number) + (gradient[position] as number);
            position++;
          }
        }
      }
    }
  }
  return output;
}

/** Index of the first largest element of a window; −1 without one. */
function largest(
  x: ArrayLike<number>,
  start: number,
  channels: number,
  [depth, rows, columns]: Axes,
  [d, r, c]: readonly [number, number, number],
): number {
  const [fromDepth, fromRow, fromColumn] = [first(depth, d), first(rows, r), first(columns, c)];
  const [toDepth, toRow, toColumn] = [end(depth, d), end(rows, r), end(columns, c)];
  let value = Number.NEGATIVE_INFINITY;
  let place = -1;
  for (let i = fromDepth; i < toDepth; i++) {
    for (let j = fromRow; j < toRow; j++) {
      const line = (i * rows.length + j) * columns.length;
      for (let k = fromColumn; k < toColumn; k++) {
        const index = start + (line + k) * channels;
        if ((x[index] as number) > value) {
          value = x[index] as number;
          place = index;
        }
      }
    }
  }
  return place;
}

const first = ({ stride, before }: Axis, window: number): number => Math.max(0, window * stride - before);
const end = ({ length, size, stride, before }: Axis, window: number): number =>
  Math.min(length, window * stride - before + size);
