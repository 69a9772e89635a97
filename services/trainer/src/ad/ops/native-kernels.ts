/** The kernels of `primitives.ts` on the native runtime: one pass over the data each (`backend/native-kernels/`). */

import * as tf from '@tensorflow/tfjs-core';
import type { Kernel } from './primitives.ts';

/** Members of the native backend that its declarations hide. */
interface NativeBackend {
  readonly isUsingGpuDevice: boolean;
  readonly binding: { readonly TF_ATTR_FLOAT: number };
  executeMultipleOutputs(
    name: string,
    attributes: object[],
    inputs: tf.Tensor[],
    outputs: number,
  ): tf.Tensor[];
}

/** A TensorFlow operation with these inputs, and an attribute alpha where the kernel has one. */
const operation =
  (name: string, inputs: readonly string[], outputs = 1): Kernel =>
  (given, { alpha }) => {
    const native = tf.backend() as unknown as NativeBackend;
    const attributes =
      alpha === undefined ? [] : [{ name: 'alpha', type: native.binding.TF_ATTR_FLOAT, value: alpha }];
    const tensors = inputs.map((input) => given[input] as tf.Tensor);
    const results = native.executeMultipleOutputs(name, attributes, tensors, outputs);
    return outputs === 1 ? (results[0] as tf.Tensor) : results;
  };

const NATIVE_KERNELS = {
  MaxPool2x2: operation('GlocalMaxPool2x2', ['x'], 2),
  MaxPool2x2Pick: operation('GlocalMaxPool2x2Pick', ['x', 'choice']),
  MaxPool2x2PickWide: operation('GlocalMaxPool2x2PickWide', ['x', 'choice']),
  MaxPool2x2Grad: operation('GlocalMaxPool2x2Grad', ['dy', 'choice']),
  LeakyReluWithSlope: operation('GlocalLeakyRelu', ['x'], 2),
  BiasLeakyRelu: operation('GlocalBiasLeakyRelu', ['x', 'bias'], 2),
  BiasLeakyReluTangent: operation('GlocalBiasLeakyReluTangent', ['x', 'bias', 'slope']),
  BiasLeakyReluGrad: operation('GlocalBiasLeakyReluGrad', ['dy', 'slope'], 2),
  SoftmaxCrossEntropy: operation('GlocalSoftmaxCrossEntropy', ['logits', 'labels'], 2),
} as const;

/** Those that a backend has: none but on the native runtime's processor. */
export function nativeKernels(backendName: string): Readonly<Record<string, Kernel>> {
  if (backendName !== 'tensorflow') return {};
  const { isUsingGpuDevice } = tf.findBackend(backendName) as unknown as NativeBackend;
  return isUsingGpuDevice ? {} : NATIVE_KERNELS;
}
