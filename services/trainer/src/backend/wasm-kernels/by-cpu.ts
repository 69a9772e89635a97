/** Kernels that training seldom needs: computed by the cpu backend's, on copies of the data. */

import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';

export type KernelCall = Parameters<tf.KernelFunc>[0];

/**
 * Registers a kernel of the wasm backend.
 * @param unless calls that the package's own kernel is right for.
 */
export function registerByCpu(kernelName: string, unless?: (call: KernelCall) => boolean): void {
  const stock = tf.getKernel(kernelName, 'wasm') as tf.KernelConfig | undefined;
  if (stock !== undefined) tf.unregisterKernel(kernelName, 'wasm');
  tf.registerKernel({
    // With its setupFunc, because it may still be called.
    ...stock,
    kernelName,
    backendName: 'wasm',
    kernelFunc: (call) => (stock && unless?.(call) ? stock.kernelFunc(call) : byCpu(kernelName, call)),
  });
}

function byCpu(kernelName: string, { inputs, attrs = {}, backend }: KernelCall): tf.TensorInfo {
  const wasm = backend as BackendWasm;
  const cpu = tf.findBackend('cpu');
  const copies = Object.fromEntries(
    Object.entries(inputs as tf.NamedTensorInfoMap).map(([name, input]) => {
      const { dataId, shape, dtype } = input as tf.TensorInfo;
      const copy = cpu.write(wasm.readSync(dataId), shape, dtype);
      // Some kernels ask for the rank, as of a tensor.
      return [name, { dataId: copy, shape, dtype, rank: shape.length }];
    }),
  );
  // Some kernels take a list.
  const given = (Array.isArray(inputs) ? Object.values(copies) : copies) as tf.NamedTensorInfoMap;
  const result = tf
    .getKernel(kernelName, 'cpu')
    .kernelFunc({ inputs: given, attrs, backend: cpu }) as tf.TensorInfo;
  try {
    const { dataId, shape, dtype } = result;
    return { dataId: wasm.write(cpu.readSync(dataId), shape, dtype), shape, dtype };
  } finally {
    for (const { dataId } of [result, ...Object.values(copies)]) cpu.disposeData(dataId, true);
  }
}
