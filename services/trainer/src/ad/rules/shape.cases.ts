/** For tests: calls of the kernels in `shape.ts`. */

import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { anywhere, type Call, noise, type RuleCase, seeds, shapes, size } from './rule-case.ts';

const linear = (calls: fc.Arbitrary<Call>): RuleCase => ({ smoothness: 'quadratic', calls });

/** A tensor with one of its axes. */
const axes = shapes.chain((shape) =>
  fc.record({ shape: fc.constant(shape), axis: fc.nat(shape.length - 1), seed: seeds }),
);

/** A single tensor x, with attributes that suit its shape. */
const one = (attributes: (shape: number[], seed: number) => object, name = 'x'): RuleCase =>
  linear(
    fc.record({ shape: shapes, seed: seeds }).map(({ shape, seed }) => ({
      inputs: () => ({ [name]: anywhere(shape, seed) }),
      attributes: attributes(shape, seed),
      differentiable: [name],
    })),
  );

const upTo = (n: number, seed: number, i: number): number => Math.floor((n + 1) * noise(seed, i));

export const SHAPE_CASES: Readonly<Record<string, RuleCase>> = {
  Reshape: one((shape) => ({ shape: [...shape].reverse() })),
  ExpandDims: one((shape, seed) => ({ dim: upTo(shape.length, seed, 0) }), 'input'),
  Transpose: one((shape, seed) => ({
    perm: shape.map((_, axis) => axis).sort((a, b) => noise(seed, a) - noise(seed, b)),
  })),
  Tile: one((shape, seed) => ({ reps: shape.map((_, axis) => 1 + upTo(2, seed, axis)) })),
  PadV2: one((shape, seed) => ({
    paddings: shape.map((_, axis) => [upTo(2, seed, axis), upTo(2, seed, axis + 9)]),
    constantValue: noise(seed, 5),
  })),
  Slice: one((shape, seed) => {
    const begin = shape.map((length, axis) => upTo(length - 1, seed, axis));
    return { begin, size: shape.map((length, axis) => length - (begin[axis] ?? 0)) };
  }),
  Reverse: one((shape, seed) => ({
    dims: shape.map((_, axis) => axis).filter((axis) => noise(seed, axis) < 0.5),
  })),
  SplitV: linear(
    axes.map(({ shape, axis, seed }) => {
      const length = shape[axis] ?? 1;
      const first = upTo(length - 1, seed, 0);
      return {
        inputs: () => ({ x: anywhere(shape, seed) }),
        attributes: { axis, numOrSizeSplits: first === 0 ? [length] : [first, length - first] },
        differentiable: ['x'],
      };
    }),
  ),
  Unpack: linear(
    axes.map(({ shape, axis, seed }) => ({
      inputs: () => ({ value: anywhere(shape, seed) }),
      attributes: { axis },
      differentiable: ['value'],
    })),
  ),
  Concat: linear(
    fc.tuple(axes, size(3), size(3)).map(([{ shape, axis, seed }, first, second]) => {
      const withLength = (length: number) => shape.map((other, i) => (i === axis ? length : other));
      return {
        inputs: () => [
          anywhere(withLength(first), seed),
          anywhere(withLength(second), seed + 1),
          anywhere(shape, seed + 2),
        ],
        attributes: { axis },
        differentiable: [0, 1, 2],
      };
    }),
  ),
  Pack: linear(
    axes.map(({ shape, axis, seed }) => ({
      inputs: () => [anywhere(shape, seed), anywhere(shape, seed + 1)],
      attributes: { axis },
      differentiable: [0, 1],
    })),
  ),
  Select: linear(
    fc.record({ shape: shapes, seed: seeds }).map(({ shape, seed }) => ({
      inputs: () => ({
        condition: tf.greater(anywhere(shape, seed), 0),
        t: anywhere(shape, seed + 1),
        e: anywhere(shape, seed + 2),
      }),
      differentiable: ['t', 'e'],
    })),
  ),
};
