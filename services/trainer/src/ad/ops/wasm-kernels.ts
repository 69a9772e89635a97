/**
 * Max pooling of `primitives.ts` on the wasm backend: one pass over the data each, in its memory. Here `choice` is, for each
 * window, where in x its largest element is, of equal ones the first: int32 of the pooled shape.
 */

import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import type { Kernel } from './primitives.ts';

const maxPool2x2: Kernel = ({ x }) => {
  const images = x as tf.Tensor;
  const [batch = 0, height = 0, width = 0, channels = 0] = images.shape;
  const pooled = [batch, height / 2, width / 2, channels];
  const [y, choice] = [output(pooled, 'float32'), output(pooled, 'int32')];
  const [from, to, places] = [floats(images), floats(y), integers(choice)];
  const line = width * channels;
  let window = 0;
  for (let upper = 0; upper < from.length; upper += 2 * line) {
    for (let left = upper; left < upper + line; left += 2 * channels) {
      for (let first = left; first < left + channels; first++) {
        const above = larger(from, first, first + channels);
        const below = larger(from, first + line, first + line + channels);
        const place = larger(from, above, below);
        to[window] = from[place] as number;
        places[window] = place;
        window++;
      }
    }
  }
  return [y, choice];
};

/** The place of the larger of two values; of equal ones the first. */
const larger = (values: Float32Array, first: number, second: number): number =>
  (values[second] as number) > (values[first] as number) ? second : first;

/** Of each of r batches, one after the other. */
const pick: Kernel = ({ x, choice }) => {
  const [batches, chosen] = [x as tf.Tensor, choice as tf.Tensor];
  const [r, image] = [batches.size / (4 * chosen.size), chosen.shape.slice(1)];
  const y = output([r * (chosen.shape[0] ?? 0), ...image], 'float32');
  const [from, to, places] = [floats(batches), floats(y), integers(chosen)];
  for (let k = 0; k < r; k++) {
    const [start, whole] = [k * places.length, 4 * k * places.length];
    for (let i = 0; i < places.length; i++) to[start + i] = from[whole + (places[i] as number)] as number;
  }
  return y;
};

/** Of each of r batches that lie side by side: a pixel has the r·c channels of all. */
const pickWide: Kernel = ({ x, choice }) => {
  const [batches, chosen] = [x as tf.Tensor, choice as tf.Tensor];
  const [batch = 0, height = 0, width = 0, channels = 0] = chosen.shape;
  const r = (batches.shape[3] ?? 0) / channels;
  const y = output([r * batch, height, width, channels], 'float32');
  const [from, to, places] = [floats(batches), floats(y), integers(chosen)];
  for (let left = 0; left < places.length; left += channels) {
    for (let k = 0; k < r; k++) {
      const start = k * places.length + left;
      for (let c = 0; c < channels; c++) {
        // The place is its pixel's number times the channels, and c.
        const pixel = (places[left + c] as number) - c;
        to[start + c] = from[pixel * r + k * channels + c] as number;
      }
    }
  }
  return y;
};

/** The inverse of {@link pick}: zeros elsewhere. */
const spread: Kernel = ({ dy, choice }) => {
  const [gradients, chosen] = [dy as tf.Tensor, choice as tf.Tensor];
  const [batches = 0, height = 0, width = 0, channels = 0] = gradients.shape;
  const dx = output([batches, 2 * height, 2 * width, channels], 'float32');
  const [from, to, places] = [floats(gradients), floats(dx).fill(0), integers(chosen)];
  for (let start = 0; start < from.length; start += places.length) {
    for (let i = 0; i < places.length; i++) to[4 * start + (places[i] as number)] = from[start + i] as number;
  }
  return dx;
};

const WASM_KERNELS: Readonly<Record<string, Kernel>> = {
  MaxPool2x2: maxPool2x2,
  MaxPool2x2Pick: pick,
  MaxPool2x2PickWide: pickWide,
  MaxPool2x2Grad: spread,
};

/** Those that a backend has: none but on wasm. */
export const wasmKernels = (backendName: string): Readonly<Record<string, Kernel>> =>
  backendName === 'wasm' ? WASM_KERNELS : {};

const wasm = (): BackendWasm => tf.backend() as BackendWasm;

const output = (shape: number[], dtype: 'float32' | 'int32'): tf.Tensor =>
  tf.engine().makeTensorFromTensorInfo(wasm().makeOutput(shape, dtype));

/** Views of the backend's memory: of no use after an allocation, which may move it. */
const floats = (tensor: tf.Tensor): Float32Array => wasm().typedArrayFromHeap(tensor) as Float32Array;
const integers = (tensor: tf.Tensor): Int32Array => wasm().typedArrayFromHeap(tensor) as Int32Array;
