/** For tests: calls of the kernels in `elementwise.ts`. */

import fc from 'fast-check';
import {
  anywhere,
  distinct,
  made,
  offZero,
  positive,
  type RuleCase,
  type Smoothness,
  seeds,
  shapes,
  unary,
  type Values,
} from './rule-case.ts';

/** Two shapes that broadcast together: axes of either are 1 now and then, and leading axes missing. */
const broadcasting = fc
  .record({
    shape: shapes,
    a: fc.nat(15),
    b: fc.nat(15),
    cut: fc.nat(3),
  })
  .map(({ shape, a, b, cut }) => {
    /** The axes whose bits are set become 1. */
    const thin = (bits: number) => shape.map((size, axis) => ((bits >> axis) % 2 === 1 ? 1 : size));
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

const within =
  (min: number, max: number): Values =>
  (shape, seed) =>
    made(shape, seed, (u) => min + (max - min) * u);

export const ELEMENTWISE_CASES: Readonly<Record<string, RuleCase>> = {
  Add: binary('quadratic', anywhere),
  Sub: binary('quadratic', anywhere),
  Multiply: binary('quadratic', anywhere),
  SquaredDifference: binary('quadratic', anywhere),
  RealDiv: binary('smooth', anywhere, positive),
  Maximum: binary('piecewise', distinct, between),
  Minimum: binary('piecewise', distinct, between),
  Pow: binary('smooth', within(0.7, 2), anywhere),
  Atan2: binary('smooth', within(0.7, 2), anywhere),
  // Dividends at least 0.05 from a multiple of their divisor.
  Mod: binary(
    'piecewise',
    (shape, seed) => made(shape, seed, (u) => (Math.floor(20 * u) - 10) / 10 + 0.05),
    (shape, seed) => made(shape, seed, (u) => 1 + Math.floor(3 * u)),
  ),
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
  Sin: unary('smooth', anywhere),
  Cos: unary('smooth', anywhere),
  Tan: unary('smooth', within(-1, 1)),
  Asin: unary('smooth', within(-0.8, 0.8)),
  Acos: unary('smooth', within(-0.8, 0.8)),
  Atan: unary('smooth', anywhere),
  Sinh: unary('smooth', anywhere),
  Cosh: unary('smooth', anywhere),
  Asinh: unary('smooth', anywhere),
  Acosh: unary('smooth', within(1.5, 3)),
  Atanh: unary('smooth', within(-0.7, 0.7)),
  Erf: unary('smooth', anywhere),
  ClipByValue: unary('piecewise', between, { clipValueMin: -0.3, clipValueMax: 0.6 }),
  Cast: unary('quadratic', anywhere, { dtype: 'float32' }),
};
