/** For tests: calls of the kernels in `elementwise.ts`. */

import type * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {
  anywhere,
  distinct,
  offZero,
  positive,
  type RuleCase,
  type Smoothness,
  seeds,
  shapes,
} from './rule-case.ts';

type Values = (shape: readonly number[], seed: number) => tf.Tensor;

const unary = (smoothness: Smoothness, values: Values, attributes: object = {}): RuleCase => ({
  smoothness,
  calls: fc.record({ shape: shapes, seed: seeds }).map(({ shape, seed }) => ({
    inputs: () => ({ x: values(shape, seed) }),
    attributes,
    differentiable: ['x'],
  })),
});

/** Two shapes that broadcast together: axes of either are 1 now and then, and leading axes missing. */
const broadcasting = fc
  .record({
    shape: shapes,
    a: fc.infiniteStream(fc.boolean()),
    b: fc.infiniteStream(fc.boolean()),
    cut: fc.nat(3),
  })
  .map(({ shape, a, b, cut }) => {
    const thin = (flags: Iterator<boolean>) => shape.map((size) => (flags.next().value === true ? 1 : size));
    return [thin(a), thin(b).slice(Math.min(cut, shape.length - 1))] as const;
  });

const binary = (smoothness: Smoothness, a: Values, b: Values = a): RuleCase => ({
  smoothness,
  calls: fc.record({ pair: broadcasting, swap: fc.boolean(), seed: seeds }).map(({ pair, swap, seed }) => {
    const [left, right] = swap ? [pair[1], pair[0]] : pair;
    return { inputs: () => ({ a: a(left, seed), b: b(right, seed + 1) }), differentiable: ['a', 'b'] };
  }),
});

/** Off the values of {@link distinct} by half their distance. */
const between: Values = (shape, seed) => distinct(shape, seed).add(0.05);

export const ELEMENTWISE_CASES: Readonly<Record<string, RuleCase>> = {
  Add: binary('quadratic', anywhere),
  Sub: binary('quadratic', anywhere),
  Multiply: binary('quadratic', anywhere),
  SquaredDifference: binary('quadratic', anywhere),
  RealDiv: binary('smooth', anywhere, positive),
  Maximum: binary('piecewise', distinct, between),
  Minimum: binary('piecewise', distinct, between),
  Pow: {
    smoothness: 'smooth',
    calls: fc.record({ pair: broadcasting, seed: seeds }).map(({ pair: [a, b], seed }) => ({
      inputs: () => ({ a: positive(a, seed), b: anywhere(b, seed + 1) }),
      differentiable: ['a'],
    })),
  },
  AddN: {
    smoothness: 'quadratic',
    calls: fc.record({ shape: shapes, seed: seeds }).map(({ shape, seed }) => ({
      inputs: () => [anywhere(shape, seed), anywhere(shape, seed + 1), anywhere(shape, seed + 2)],
      differentiable: [0, 1, 2],
    })),
  },
  Neg: unary('quadratic', anywhere),
  Exp: unary('smooth', anywhere),
  Expm1: unary('smooth', anywhere),
  Log: unary('smooth', positive),
  Log1p: unary('smooth', positive),
  Square: unary('quadratic', anywhere),
  Sqrt: unary('smooth', positive),
  Rsqrt: unary('smooth', positive),
  Reciprocal: unary('smooth', positive),
  Abs: unary('piecewise', offZero),
  Tanh: unary('smooth', anywhere),
  Sigmoid: unary('smooth', anywhere),
  Softplus: unary('smooth', anywhere),
  Sin: unary('smooth', anywhere),
  Cos: unary('smooth', anywhere),
  Relu: unary('piecewise', offZero),
  LeakyRelu: unary('piecewise', offZero, { alpha: 0.2 }),
  Cast: unary('quadratic', anywhere, { dtype: 'float32' }),
};
