/** Kernels that take the largest element of each window of an image, and average pooling's gradient. */

import * as tf from '@tensorflow/tfjs-core';
import { runKernel } from '../engine.ts';
import {
  aligned,
  each,
  fold,
  foldedShape,
  indicator,
  type Rule,
  rule,
  type Tangent,
  unfold,
} from './rule.ts';

export interface PoolingAttributes {
  readonly filterSize: number | [number, number];
  readonly strides: number | [number, number];
  readonly pad: 'valid' | 'same' | number;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/** How windows lie along one axis of an image. */
interface WindowAxis {
  readonly size: number;
  readonly stride: number;
  readonly dilation: number;
  /** Number of windows. */
  readonly count: number;
  /** Padding at both ends; tfjs answers with negative numbers where strides exceed windows. */
  readonly pad: [before: number, after: number];
}

const maxPool = rule<'x', PoolingAttributes>(
  ({ primals: { x }, tangents, q, attributes: { filterSize, strides, pad, dimRoundingMode } }): Tangent => {
    if (tangents.x === undefined) return undefined;
    const shape = x.shape as [number, number, number, number];
    const axes = planeAxes(
      tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode),
    );
    return maximumTangent(
      windowPositions(x, axes, Number.NEGATIVE_INFINITY),
      windowPositions(fold(tangents.x), axes, 0).map((direction) => unfold(direction, q)),
    );
  },
);

interface Pooling3dAttributes extends Pick<PoolingAttributes, 'pad' | 'dimRoundingMode'> {
  readonly filterSize: number | [number, number, number];
  readonly strides: number | [number, number, number];
}

const maxPool3d = rule<'x', Pooling3dAttributes>(
  ({ primals: { x }, tangents, q, attributes: { filterSize, strides, pad, dimRoundingMode } }): Tangent => {
    if (tangents.x === undefined) return undefined;
    const shape = x.shape as [number, number, number, number, number];
    const info = tf.backend_util.computePool3DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
    const axes = [depthAxis(info), ...planeAxes(info)];
    return maximumTangent(
      windowPositions(x, axes, Number.NEGATIVE_INFINITY),
      windowPositions(fold(tangents.x), axes, 0).map((direction) => unfold(direction, q)),
    );
  },
);

interface DilationAttributes {
  readonly strides: number | [number, number];
  readonly pad: 'valid' | 'same' | number;
  readonly dilations: number | [number, number];
}

/** Greyscale dilation: y is the maximum over a window of x + filter. */
const dilation2d = rule<'x' | 'filter', DilationAttributes>(
  ({ primals: { x, filter }, tangents, q, attributes: { strides, pad, dilations } }) => {
    const axes = planeAxes(
      tf.backend_util.computeDilation2DInfo(
        x.shape as [number, number, number, number],
        filter.shape as [number, number, number],
        strides,
        pad as 'valid' | 'same',
        'NHWC',
        dilations,
      ),
    );
    const channels = x.shape[3] ?? 1;
    /** The filter's vector over channels at each position. */
    const vectors = (weights: tf.Tensor) => each(tf.reshape(weights, [-1, channels]));
    const candidates = windowPositions(x, axes, Number.NEGATIVE_INFINITY).map((values, k) =>
      tf.add(values, vectors(filter)[k] as tf.Tensor),
    );
    const ofX = tangents.x && windowPositions(fold(tangents.x), axes, 0).map((t) => unfold(t, q));
    const ofFilter =
      tangents.filter &&
      tf.unstack(tf.reshape(tangents.filter, [q, -1, channels]), 1).map((vector) => aligned(vector, x.rank));
    return maximumTangent(
      candidates,
      candidates.map(({ shape }, k) => {
        const [a, b] = [ofX?.[k], ofFilter?.[k]];
        return tf.broadcastTo(a && b ? tf.add(a, b) : ((a ?? b) as tf.Tensor), [q, ...shape]);
      }),
    );
  },
);

/** The direction that belongs to the largest of the candidates, element by element; of equal ones the first. */
function maximumTangent(candidates: readonly tf.Tensor[], directions: readonly tf.Tensor[]): Tangent {
  const largest = candidates.reduce((a, b) => tf.maximum(a, b));
  let open = tf.onesLike(largest);
  let tangent: Tangent;
  candidates.forEach((candidate, k) => {
    const chosen = tf.mul(open, indicator(tf.equal(candidate, largest)));
    open = tf.sub(open, chosen);
    const share = tf.mul(directions[k] as tf.Tensor, chosen);
    tangent = tangent ? tf.add(tangent, share) : share;
  });
  return tangent;
}

/** Splits images `[b, ...space, c]` into as many tensors `[b, ...counts, c]` as a window has positions, row-major. */
function windowPositions(images: tf.Tensor, axes: readonly WindowAxis[], outside: number): tf.Tensor[] {
  const batch = images.shape[0] ?? 0;
  const channels = images.shape.at(-1) ?? 0;
  const padded = tf.pad(images, [[0, 0], ...axes.map(({ pad }) => pad), [0, 0]], outside);
  const positions = axes.reduce<number[][]>(
    (heads, { size, dilation }) =>
      heads.flatMap((head) => Array.from({ length: size }, (_, i) => [...head, i * dilation])),
    [[]],
  );
  return positions.map((begin) => {
    const end = axes.map(({ count, stride }, axis) => (begin[axis] ?? 0) + (count - 1) * stride + 1);
    return tf.stridedSlice(
      padded,
      [0, ...begin, 0],
      [batch, ...end, channels],
      [1, ...axes.map(({ stride }) => stride), 1],
    );
  });
}

function planeAxes(info: tf.backend_util.Conv2DInfo | tf.backend_util.Conv3DInfo): WindowAxis[] {
  const { top, bottom, left, right } = info.padInfo;
  return [
    {
      size: info.filterHeight,
      stride: info.strideHeight,
      dilation: info.dilationHeight,
      count: info.outHeight,
      pad: [Math.max(0, top), Math.max(0, bottom)],
    },
    {
      size: info.filterWidth,
      stride: info.strideWidth,
      dilation: info.dilationWidth,
      count: info.outWidth,
      pad: [Math.max(0, left), Math.max(0, right)],
    },
  ];
}

function depthAxis(info: tf.backend_util.Conv3DInfo): WindowAxis {
  const { front, back } = info.padInfo;
  return {
    size: info.filterDepth,
    stride: info.strideDepth,
    dilation: info.dilationDepth,
    count: info.outDepth,
    pad: [Math.max(0, front), Math.max(0, back)],
  };
}

const avgPoolGrad = rule<'dy' | 'input', PoolingAttributes>(
  ({ primals: { input }, tangents, q, attributes }) =>
    tangents.dy && avgPoolGradOf(tangents.dy, input, q, attributes),
);

/** AvgPoolGrad of each tangent of dy. */
function avgPoolGradOf(dy: tf.Tensor, input: tf.Tensor, q: number, attributes: object): tf.Tensor {
  return unfold(
    runKernel(
      'AvgPoolGrad',
      { dy: fold(dy), input: withShape(input, foldedShape(input.shape, q)) },
      attributes,
    ),
    q,
  );
}

/** For AvgPoolGrad, which reads its input's shape alone: saves a tensor of zeros as large as all tangents. */
function withShape({ dataId, dtype }: tf.Tensor, shape: number[]): tf.Tensor {
  return { dataId, dtype, shape } as tf.Tensor;
}

export const POOLING: Readonly<Record<string, Rule>> = {
  MaxPool: maxPool,
  MaxPool3D: maxPool3d,
  Dilation2D: dilation2d,
  AvgPoolGrad: avgPoolGrad,
};
