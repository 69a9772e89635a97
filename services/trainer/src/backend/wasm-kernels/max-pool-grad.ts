/**
 * MaxPoolGrad. In the package's, the running maximum of a window starts above zero, so that a window whose maximum is not
 * positive sends its gradient to the wrong element.
 */

import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';

interface PoolAttributes {
  readonly filterSize: number | [number, number];
  readonly strides: number | [number, number];
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

export function registerMaxPoolGrad(): void {
  tf.unregisterKernel('MaxPoolGrad', 'wasm');
  tf.registerKernel({
    kernelName: 'MaxPoolGrad',
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs, backend }) =>
      maxPoolGrad(
        inputs.dy as tf.TensorInfo,
        inputs.input as tf.TensorInfo,
        attrs as unknown as PoolAttributes,
        backend as BackendWasm,
      ),
  });
}

/** dx, of the input's shape: each dy goes to the first largest element of its window, in row-major order. */
function maxPoolGrad(
  dy: tf.TensorInfo,
  input: tf.TensorInfo,
  { filterSize, strides, pad, dimRoundingMode }: PoolAttributes,
  backend: BackendWasm,
): tf.TensorInfo {
  const shape = input.shape as [number, number, number, number];
  const info = tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
  const output = backend.makeOutput(shape, 'float32');
  // Views of the wasm memory: taken after the allocation, which may move it.
  const dx = backend.typedArrayFromHeap(output).fill(0);
  const x = backend.typedArrayFromHeap(input);
  const gradient = backend.typedArrayFromHeap(dy);

  const { batchSize, inHeight, inWidth, inChannels: channels, padInfo } = info;
  let position = 0;
  for (let image = 0; image < batchSize; image++) {
    for (let row = 0; row < info.outHeight; row++) {
      const top = row * info.strideHeight - padInfo.top;
      const bottom = Math.min(inHeight, top + info.filterHeight);
      for (let column = 0; column < info.outWidth; column++) {
        const left = column * info.strideWidth - padInfo.left;
        const right = Math.min(inWidth, left + info.filterWidth);
        for (let channel = 0; channel < channels; channel++) {
          let largest = Number.NEGATIVE_INFINITY;
          let place = -1;
          for (let r = Math.max(0, top); r < bottom; r++) {
            const start = (image * inHeight + r) * inWidth;
            for (let c = Math.max(0, left); c < right; c++) {
              const index = (start + c) * channels + channel;
              const value = x[index] as number;
              if (value > largest) {
                largest = value;
                place = index;
              }
            }
          }
          // No place: a window of padding or of NaN only.
          if (place >= 0) dx[place] = (dx[place] as number) + (gradient[position] as number);
          position++;
        }
      }
    }
  }
  return output;
}
