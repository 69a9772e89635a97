/**
 * Kernels that are linear in each of some inputs, whatever else they do: d f(a, b) = f(da, b) + f(a, db), the kernel
 * itself once for each tangent. Their other inputs are shapes, indices, or the place of a maximum, and do not move the
 * output. Kernels that training spends its time in have rules of their own, which take all tangents at once.
 */

import * as tf from '@tensorflow/tfjs-core';
import { runKernel } from '../engine.ts';
import { each, fold, plus, type Rule, rule, stacked, type Tangent, together, unfold } from './rule.ts';

/** Linear in each of the named inputs. */
const linearIn = (kernel: string, ...names: readonly string[]): Rule =>
  rule<string>(({ primals, tangents, attributes }) =>
    names.reduce((sum: Tangent, name) => {
      const tangent = tangents[name];
      const term =
        tangent &&
        together(each(tangent).map((t) => runKernel(kernel, { ...primals, [name]: t }, attributes)));
      return plus(sum, term);
    }, undefined),
  );

/** Linear in all of the named inputs at once: a missing tangent is zero. */
const linearTogether = (kernel: string, ...names: readonly string[]): Rule =>
  rule<string>(({ primals, tangents, q, attributes }) => {
    const directions = names.map((name) =>
      each(tangents[name] ?? tf.zeros(stacked(q, (primals[name] as tf.Tensor).shape))),
    );
    const along = (k: number) =>
      Object.fromEntries(names.map((name, i) => [name, directions[i]?.[k] as tf.Tensor]));
    return together(
      Array.from({ length: q }, (_, k) => runKernel(kernel, { ...primals, ...along(k) }, attributes)),
    );
  });

/** Linear in one input, example by example: the tangents are further examples. */
const linearInBatch = (kernel: string, name: string): Rule =>
  rule<string>(({ primals, tangents, q, attributes }) => {
    const tangent = tangents[name];
    return tangent && unfold(runKernel(kernel, { ...primals, [name]: fold(tangent) }, attributes), q);
  });

export const depthwiseConv2d = linearIn('DepthwiseConv2dNative', 'x', 'filter');

export const MULTILINEAR: Readonly<Record<string, Rule>> = {
  AvgPool: linearInBatch('AvgPool', 'x'),
  AvgPool3D: linearInBatch('AvgPool3D', 'x'),
  AvgPool3DGrad: linearIn('AvgPool3DGrad', 'dy'),
  MaxPoolGrad: linearIn('MaxPoolGrad', 'dy'),
  MaxPool3DGrad: linearIn('MaxPool3DGrad', 'dy'),
  Dilation2DBackpropInput: linearIn('Dilation2DBackpropInput', 'dy'),
  Dilation2DBackpropFilter: linearIn('Dilation2DBackpropFilter', 'dy'),

  DepthwiseConv2dNative: depthwiseConv2d,
  DepthwiseConv2dNativeBackpropInput: linearIn('DepthwiseConv2dNativeBackpropInput', 'dy', 'filter'),
  DepthwiseConv2dNativeBackpropFilter: linearIn('DepthwiseConv2dNativeBackpropFilter', 'x', 'dy'),
  Conv3D: linearIn('Conv3D', 'x', 'filter'),
  Conv3DBackpropInputV2: linearIn('Conv3DBackpropInputV2', 'dy', 'filter'),
  Conv3DBackpropFilterV2: linearIn('Conv3DBackpropFilterV2', 'x', 'dy'),

  ResizeBilinear: linearInBatch('ResizeBilinear', 'images'),
  ResizeBilinearGrad: linearIn('ResizeBilinearGrad', 'dy'),
  ResizeNearestNeighbor: linearInBatch('ResizeNearestNeighbor', 'images'),
  ResizeNearestNeighborGrad: linearIn('ResizeNearestNeighborGrad', 'dy'),
  CropAndResize: linearIn('CropAndResize', 'image'),
  FlipLeftRight: linearInBatch('FlipLeftRight', 'image'),

  GatherV2: linearIn('GatherV2', 'x'),
  GatherNd: linearIn('GatherNd', 'params'),
  ScatterNd: linearIn('ScatterNd', 'updates'),
  TensorScatterUpdate: linearTogether('TensorScatterUpdate', 'tensor', 'updates'),
  SparseToDense: linearTogether('SparseToDense', 'sparseValues', 'defaultValue'),
  UnsortedSegmentSum: linearIn('UnsortedSegmentSum', 'x'),
  MirrorPad: linearIn('MirrorPad', 'x'),
  StridedSlice: linearIn('StridedSlice', 'x'),
  SpaceToBatchND: linearIn('SpaceToBatchND', 'x'),
  BatchToSpaceND: linearIn('BatchToSpaceND', 'x'),
  DepthToSpace: linearInBatch('DepthToSpace', 'x'),
  Diag: linearIn('Diag', 'x'),
};
