/** How the kernels of this folder are registered: as functions of tensors, written with tfjs's operations. */

import * as tf from '@tensorflow/tfjs-core';

export type Inputs = Readonly<Record<string, tf.Tensor>>;

/** The package's own kernel, with one output. */
export type Stock = (inputs: Inputs, attributes: object) => tf.Tensor;

/** The kernel's output. `stock` calls what was registered before, and throws where nothing was. */
export type Compute<Attributes> = (inputs: Inputs, attributes: Attributes, stock: Stock) => tf.Tensor;

/** Registers a kernel of the wasm backend, in the place of the package's if it has one. */
export function registerKernel<Attributes>(kernelName: string, compute: Compute<Attributes>): void {
  const previous = tf.getKernel(kernelName, 'wasm') as tf.KernelConfig | undefined;
  if (previous !== undefined) tf.unregisterKernel(kernelName, 'wasm');
  const stock: Stock = (inputs, attributes) => {
    if (previous === undefined) throw new TypeError(`the wasm backend has no kernel ${kernelName}`);
    const attrs = attributes as tf.NamedAttrMap;
    const output = previous.kernelFunc({
      inputs: inputs as tf.NamedTensorInfoMap,
      attrs,
      backend: tf.backend(),
    });
    // As a tensor of the engine, so that the tidy around it frees it when it is not the result.
    return tf.engine().makeTensorFromTensorInfo(output as tf.TensorInfo);
  };
  tf.registerKernel({
    // With its setupFunc, because it may still be called.
    ...previous,
    kernelName,
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs }) =>
      tf.tidy(() => compute(inputs as unknown as Inputs, (attrs ?? {}) as Attributes, stock)),
  });
}
