/** For tests: calls of the kernels in `multilinear.ts` that are not pooling. */

import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { anywhere, type Call, made, noise, type RuleCase, seeds, shapes, size } from './rule-case.ts';

const linear = (calls: fc.Arbitrary<Call>): RuleCase => ({ smoothness: 'quadratic', calls });

interface Convolution<Shape> {
  readonly x: Shape;
  readonly filter: Shape;
  /** Of the result. */
  readonly y: Shape;
  readonly seed: number;
  readonly attributes: { readonly strides: number; readonly pad: 'valid' | 'same' };
}

type Shape4D = [number, number, number, number];
type Shape5D = [number, number, number, number, number];

/** Filters as long as their strides at least. */
const attributes = { strides: size(2), pad: fc.constantFrom('valid' as const, 'same' as const), seed: seeds };

const depthwise: fc.Arbitrary<Convolution<Shape4D>> = fc
  .record({
    x: fc.tuple(size(2), size(6, 4), size(6, 4), size(3)),
    filterSize: fc.tuple(size(3, 2), size(3, 2)),
    multiplier: size(2),
    ...attributes,
  })
  .map(({ x, filterSize, multiplier, strides, pad, seed }) => {
    const filter: Shape4D = [...filterSize, x[3], multiplier];
    const y = tf.backend_util.computeConv2DInfo(x, filter, strides, 1, pad, undefined, true).outShape;
    return { x, filter, y, seed, attributes: { strides, pad } };
  });

const volumes: fc.Arbitrary<Convolution<Shape5D>> = fc
  .record({
    x: fc.tuple(size(2), size(4, 3), size(4, 3), size(4, 3), size(2)),
    filterSize: fc.tuple(size(3, 2), size(3, 2), size(3, 2)),
    out: size(2),
    ...attributes,
  })
  .map(({ x, filterSize, out, strides, pad, seed }) => {
    const filter: Shape5D = [...filterSize, x[4], out];
    const y = tf.backend_util.computeConv3DInfo(x, filter, strides, 1, pad).outShape;
    return { x, filter, y, seed, attributes: { strides, pad } };
  });

/** The three kernels of a convolution, with the attributes that they have besides stride and padding. */
function convolution<Shape extends number[]>(
  convolutions: fc.Arbitrary<Convolution<Shape>>,
  names: readonly [forward: string, backpropInput: string, backpropFilter: string],
  {
    forward,
    back,
    defects = {},
  }: { readonly forward: object; readonly back: object; readonly defects?: Record<string, string> },
): Record<string, RuleCase> {
  const of = (call: (convolution: Convolution<Shape>) => Call) => linear(convolutions.map(call));
  return {
    [names[0]]: of(({ x, filter, seed, attributes: common }) => ({
      inputs: () => ({ x: anywhere(x, seed), filter: anywhere(filter, seed + 1) }),
      attributes: { ...common, ...forward },
      differentiable: ['x', 'filter'],
    })),
    [names[1]]: {
      defects,
      ...of(({ x, y, filter, seed, attributes: common }) => ({
        inputs: () => ({ dy: anywhere(y, seed), filter: anywhere(filter, seed + 1) }),
        attributes: { ...common, ...back, inputShape: x },
        differentiable: ['dy', 'filter'],
      })),
    },
    [names[2]]: {
      defects,
      ...of(({ x, y, filter, seed, attributes: common }) => ({
        inputs: () => ({ x: anywhere(x, seed), dy: anywhere(y, seed + 1) }),
        attributes: { ...common, ...back, filterShape: filter },
        differentiable: ['x', 'dy'],
      })),
    },
  };
}

/** Resized images, and what their gradient takes. */
const resizes = fc.record({
  batch: size(2),
  plane: fc.tuple(size(4, 2), size(4, 2), size(3)),
  target: fc.tuple(size(6, 2), size(6, 2)),
  mode: fc.constantFrom('plain', 'alignCorners', 'halfPixelCenters'),
  seed: seeds,
});

const resized = (backward: boolean, mostExamples = 2): RuleCase =>
  linear(
    resizes.map(({ batch, plane, target, mode, seed }) => ({
      inputs: () => {
        const examples = Math.min(batch, mostExamples);
        return {
          images: anywhere([examples, ...plane], seed),
          ...(backward && { dy: anywhere([examples, ...target, plane[2]], seed + 1) }),
        };
      },
      attributes: {
        alignCorners: mode === 'alignCorners',
        // The gradients do not know this one.
        halfPixelCenters: mode === 'halfPixelCenters' && !backward,
        size: target,
      },
      differentiable: backward ? ['images', 'dy'] : ['images'],
    })),
  );

/** Whole numbers below a limit. */
const indices = (shape: readonly number[], limit: number, seed: number): tf.Tensor =>
  made(shape, seed, (u) => Math.floor(limit * u)).toInt();

/** Indices of elements, `[count, rank]`. */
const places = (shape: readonly number[], count: number, seed: number): tf.Tensor =>
  made([count, shape.length], seed, (u, i) => Math.floor((shape[i % shape.length] ?? 1) * u)).toInt();

/** A tensor with one of its axes. */
const axes = shapes.chain((shape) =>
  fc.record({ shape: fc.constant(shape), axis: fc.nat(shape.length - 1), count: size(4), seed: seeds }),
);

export const MULTILINEAR_CASES: Readonly<Record<string, RuleCase>> = {
  ...convolution(
    depthwise,
    ['DepthwiseConv2dNative', 'DepthwiseConv2dNativeBackpropInput', 'DepthwiseConv2dNativeBackpropFilter'],
    { forward: { dataFormat: 'NHWC', dilations: 1 }, back: { dilations: 1 } },
  ),
  ...convolution(volumes, ['Conv3D', 'Conv3DBackpropInputV2', 'Conv3DBackpropFilterV2'], {
    forward: { dataFormat: 'NDHWC', dilations: 1 },
    back: {},
  }),
  ResizeBilinear: resized(false),
  ResizeBilinearGrad: resized(true),
  // For several examples the stock gradient of cpu is wrong.
  ResizeNearestNeighbor: resized(false, 1),
  ResizeNearestNeighborGrad: resized(true, 1),
  CropAndResize: linear(
    resizes.map(({ batch, plane, target, seed }) => ({
      inputs: () => ({
        image: anywhere([batch, ...plane], seed),
        boxes: made([3, 4], seed + 1, (u, i) => (i % 4 < 2 ? u / 2 : (1 + u) / 2)),
        boxInd: indices([3], batch, seed + 2),
      }),
      attributes: { cropSize: target, method: seed % 2 ? 'bilinear' : 'nearest', extrapolationValue: 0 },
      differentiable: ['image'],
    })),
  ),
  FlipLeftRight: linear(
    resizes.map(({ batch, plane, seed }) => ({
      inputs: () => ({ image: anywhere([batch, ...plane], seed) }),
      differentiable: ['image'],
    })),
  ),
  GatherV2: linear(
    axes.map(({ shape, axis, count, seed }) => {
      // The first axis counted off in both, now and then.
      const batchDims = axis > 0 && seed % 2 ? 1 : 0;
      const batch = shape.slice(0, batchDims);
      return {
        inputs: () => ({
          x: anywhere(shape, seed),
          indices: indices([...batch, count, 2], shape[axis] ?? 1, seed + 1),
        }),
        attributes: { axis, batchDims },
        differentiable: ['x'],
      };
    }),
  ),
  GatherNd: linear(
    axes.map(({ shape, count, seed }) => ({
      inputs: () => ({ params: anywhere(shape, seed), indices: places(shape, count, seed + 1) }),
      differentiable: ['params'],
    })),
  ),
  ScatterNd: linear(
    axes.map(({ shape, count, seed }) => ({
      inputs: () => ({ updates: anywhere([count], seed), indices: places(shape, count, seed + 1) }),
      attributes: { shape },
      differentiable: ['updates'],
    })),
  ),
  TensorScatterUpdate: {
    defects: { cpu: 'writes into its input' },
    ...linear(
      axes.map(({ shape, seed }) => ({
        inputs: () => ({
          tensor: anywhere(shape, seed),
          // One place: of several equal ones it is not said which update counts.
          updates: anywhere([1], seed + 1),
          indices: places(shape, 1, seed + 2),
        }),
        differentiable: ['tensor', 'updates'],
      })),
    ),
  },
  SparseToDense: linear(
    axes.map(({ shape, seed }) => ({
      inputs: () => ({
        sparseIndices: places(shape, 1, seed),
        sparseValues: anywhere([1], seed + 1),
        defaultValue: anywhere([], seed + 2),
      }),
      attributes: { outputShape: shape },
      differentiable: ['sparseValues', 'defaultValue'],
    })),
  ),
  UnsortedSegmentSum: linear(
    axes.map(({ shape, count, seed }) => ({
      inputs: () => ({
        x: anywhere(shape, seed),
        segmentIds: indices(shape.slice(0, 1), count, seed + 1),
      }),
      attributes: { numSegments: count },
      differentiable: ['x'],
    })),
  ),
  MirrorPad: linear(
    fc
      .record({ shape: shapes, mode: fc.constantFrom('reflect', 'symmetric'), seed: seeds })
      .map(({ shape, mode, seed }) => {
        const most = (length: number) => (mode === 'reflect' ? length - 1 : length);
        const amount = (length: number, i: number) => Math.floor((most(length) + 1) * noise(seed, i));
        return {
          inputs: () => ({ x: anywhere(shape, seed) }),
          attributes: {
            mode,
            paddings: shape.map((length, i) => [amount(length, i), amount(length, i + 9)]),
          },
          differentiable: ['x'],
        };
      }),
  ),
  StridedSlice: linear(
    fc.record({ shape: shapes, stride: size(3), seed: seeds }).map(({ shape, stride, seed }) => ({
      inputs: () => ({ x: anywhere(shape, seed) }),
      attributes: {
        begin: shape.map((length, i) => Math.floor(length * noise(seed, i))),
        end: [...shape],
        strides: shape.map(() => stride),
        beginMask: 0,
        endMask: 0,
        ellipsisMask: 0,
        newAxisMask: 0,
        shrinkAxisMask: 0,
      },
      differentiable: ['x'],
    })),
  ),
  SpaceToBatchND: linear(
    fc.tuple(size(2), size(3), size(3), size(2), seeds).map(([b, h, w, c, seed]) => ({
      inputs: () => ({ x: anywhere([b, 2 * h - 1, 2 * w, c], seed) }),
      attributes: {
        blockShape: [2, 2],
        paddings: [
          [1, 0],
          [0, 0],
        ],
      },
      differentiable: ['x'],
    })),
  ),
  BatchToSpaceND: linear(
    fc.tuple(size(2), size(3), size(3), size(2), seeds).map(([b, h, w, c, seed]) => ({
      inputs: () => ({ x: anywhere([4 * b, h, w, c], seed) }),
      attributes: {
        blockShape: [2, 2],
        crops: [
          [1, 0],
          [0, 0],
        ],
      },
      differentiable: ['x'],
    })),
  ),
  DepthToSpace: linear(
    fc.tuple(size(2), size(3), size(3), size(2), seeds).map(([b, h, w, c, seed]) => ({
      inputs: () => ({ x: anywhere([b, h, w, 4 * c], seed) }),
      attributes: { blockSize: 2, dataFormat: 'NHWC' },
      differentiable: ['x'],
    })),
  ),
  Diag: linear(
    fc.tuple(fc.array(size(4), { minLength: 1, maxLength: 2 }), seeds).map(([shape, seed]) => ({
      inputs: () => ({ x: anywhere(shape, seed) }),
      differentiable: ['x'],
    })),
  ),
};
