/** Slices. The package's copies all of its input out of its memory, however small the slice is. */

import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import type { Compute } from './kernel.ts';

interface Attributes {
  readonly begin: number | number[];
  readonly size: number | number[];
}

/** Of what lies in one piece, a copy of that; of other slices, and strings, the package's. */
export const slice: Compute<Attributes> = (inputs, attributes, stock) => {
  const x = inputs.x as tf.Tensor;
  const parsed = tf.slice_util.parseSliceParams(x, attributes.begin, attributes.size);
  const [begin, size] = parsed as [number[], number[]];
  if (x.dtype === 'string' || !tf.slice_util.isSliceContinous(x.shape, begin, size))
    return stock(inputs, attributes);
  const wasm = tf.backend() as BackendWasm;
  const output = tf.engine().makeTensorFromTensorInfo(wasm.makeOutput(size, x.dtype));
  const start = tf.slice_util.computeFlatOffset(begin, tf.util.computeStrides(x.shape));
  // Views of the wasm memory: taken after the allocation, which may move it.
  wasm.typedArrayFromHeap(output).set(wasm.typedArrayFromHeap(x).subarray(start, start + output.size));
  return output;
};
