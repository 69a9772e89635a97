/** The kernels that the wasm backend 4.22.0 lacks, gets wrong or computes with naive loops. */

import { registerByCpu } from './by-cpu.ts';
import { conv2dBackpropFilter, conv2dBackpropInput } from './convolution.ts';
import { depthwiseBackpropFilter, depthwiseBackpropInput } from './depthwise.ts';
import { registerKernel } from './kernel.ts';
import { batchMatMul } from './mat-mul.ts';
import { registerMaxPoolGrad } from './max-pool-grad.ts';

/** The first two are missing, the others wrong in the package. */
const BY_CPU = ['Einsum', 'UnsortedSegmentSum', 'Conv3DBackpropInputV2', 'Conv3DBackpropFilterV2'] as const;

/** Registers them. Once a process, before the backend starts. */
export function registerWasmKernels(): void {
  registerKernel('Conv2DBackpropFilter', conv2dBackpropFilter);
  registerKernel('Conv2DBackpropInput', conv2dBackpropInput);
  registerKernel('DepthwiseConv2dNativeBackpropFilter', depthwiseBackpropFilter);
  registerKernel('DepthwiseConv2dNativeBackpropInput', depthwiseBackpropInput);
  registerKernel('BatchMatMul', batchMatMul);
  registerMaxPoolGrad();
  for (const kernel of BY_CPU) registerByCpu(kernel);
  // The package's reads past the end of its data.
  registerByCpu('GatherV2', ({ attrs }) => attrs?.batchDims === 0);
}
