/** The kernels that the wasm backend 4.22.0 lacks, gets wrong or computes slowly. */

import * as tf from '@tensorflow/tfjs-core';
import { averagePool3dGrad, averagePoolGrad } from './average-pool-grad.ts';
import { type KernelCall, registerByCpu } from './by-cpu.ts';
import { conv2dBackpropFilter, conv2dBackpropInput } from './convolution.ts';
import { depthwiseBackpropFilter, depthwiseBackpropInput } from './depthwise.ts';
import { einsum } from './einsum.ts';
import { type Compute, registerKernel } from './kernel.ts';
import { batchMatMul } from './mat-mul.ts';
import { registerMaxPoolGrad } from './max-pool-grad.ts';
import { slice } from './slice.ts';

/** Missing in the package; wrong there: gradients; several images, and maxima below zero. */
const BY_CPU = [
  'UnsortedSegmentSum',
  'Conv3DBackpropInputV2',
  'Conv3DBackpropFilterV2',
  'MaxPool3D',
  'Dilation2D',
  'Dilation2DBackpropInput',
  'Dilation2DBackpropFilter',
] as const;
/** The package's pad wrongly where a filter is shorter than its stride, and write past their output. */
const CONVOLUTIONS = ['Conv2D', 'FusedConv2D', 'DepthwiseConv2dNative', 'FusedDepthwiseConv2D'] as const;

/** The package's look at the shape in which a bias was stored first, and refuse one that was reshaped to a vector. */
const WITH_BIAS = ['FusedConv2D', 'FusedDepthwiseConv2D', '_FusedMatMul'] as const;

/** Registers them. Once a process, before the backend starts. */
export function registerWasmKernels(): void {
  registerKernel('Conv2DBackpropFilter', conv2dBackpropFilter);
  registerKernel('Conv2DBackpropInput', conv2dBackpropInput);
  registerKernel('DepthwiseConv2dNativeBackpropFilter', depthwiseBackpropFilter);
  registerKernel('DepthwiseConv2dNativeBackpropInput', depthwiseBackpropInput);
  registerKernel('BatchMatMul', batchMatMul);
  registerMaxPoolGrad();
  registerKernel('AvgPoolGrad', averagePoolGrad);
  registerKernel('AvgPool3DGrad', averagePool3dGrad);
  registerKernel('Einsum', einsum);
  registerKernel('Slice', slice);
  for (const kernel of BY_CPU) registerByCpu(kernel);
  for (const kernel of CONVOLUTIONS) registerByCpu(kernel, ({ inputs, attrs }) => !isShort(inputs, attrs));
  // With a bias, the package's is right for two plain matrices only.
  registerByCpu('_FusedMatMul', ({ inputs, attrs }) => {
    const { a, bias } = inputs as tf.NamedTensorInfoMap;
    return bias === undefined || (a?.shape[0] === 1 && !attrs?.transposeA && !attrs?.transposeB);
  });
  for (const kernel of WITH_BIAS) registerKernel(kernel, withFlatBias);
  // The package's keeps the last byte of a whole number as the truth value: .4 is false, 256 too.
  registerByCpu('Cast', ({ attrs }) => attrs?.dtype !== 'bool');
  // The package's reads past the end of its data.
  registerByCpu('GatherV2', ({ attrs }) => attrs?.batchDims === 0);
}

/** With a copy of the bias, which is stored in the shape that it has. */
const withFlatBias: Compute<object> = ({ bias, ...inputs }, attributes, stock) =>
  stock(bias === undefined ? inputs : { ...inputs, bias: tf.add(bias, 0) }, attributes);

/** Whether a convolution pads, and its filter is shorter than its stride along an axis, and not a single element. */
function isShort(inputs: KernelCall['inputs'], attributes: KernelCall['attrs']): boolean {
  const { pad, strides } = attributes as { pad: unknown; strides: number | [number, number] };
  const [height = 1, width = 1] = (inputs as tf.NamedTensorInfoMap).filter?.shape ?? [];
  const [strideHeight, strideWidth] = typeof strides === 'number' ? [strides, strides] : strides;
  return pad === 'same' && height * width > 1 && (height < strideHeight || width < strideWidth);
}
