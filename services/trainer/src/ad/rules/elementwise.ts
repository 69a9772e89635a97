/** Kernels that act element by element, with broadcasting where there are two inputs. */

import * as tf from '@tensorflow/tfjs-core';
import { MissingRuleError } from '../errors.ts';
import {
  aligned,
  broadcast,
  indicator,
  listRule,
  plus,
  type Rule,
  rule,
  type Tangent,
  unary,
} from './rule.ts';

type Binary = (a: tf.Tensor, b: tf.Tensor, y: tf.Tensor) => tf.Tensor;

/** y = f(a, b): dy = ∂f/∂a da + ∂f/∂b db; a partial that is not given is 1. */
const binary = (partials: { a?: Binary; b?: Binary }): Rule =>
  rule<'a' | 'b'>(({ primals: { a, b }, tangents, output }) => {
    const term = (tangent: Tangent, partial: Binary | undefined): Tangent => {
      if (tangent === undefined) return undefined;
      const direction = aligned(tangent, output.rank);
      return partial ? tf.mul(direction, partial(a, b, output)) : direction;
    };
    const sum = plus(term(tangents.a, partials.a), term(tangents.b, partials.b));
    return sum && broadcast(sum, output.shape);
  });

const subtract = rule<'a' | 'b'>(({ tangents, output }) => {
  const a = tangents.a && aligned(tangents.a, output.rank);
  const b = tangents.b && aligned(tangents.b, output.rank);
  const difference = a && b ? tf.sub(a, b) : (a ?? (b && tf.neg(b)));
  return difference && broadcast(difference, output.shape);
});

export const ELEMENTWISE: Readonly<Record<string, Rule>> = {
  Add: binary({}),
  AddN: listRule(({ tangents }) => tangents.reduce(plus, undefined)),
  Sub: subtract,
  Multiply: binary({ a: (_a, b) => b, b: (a) => a }),
  RealDiv: binary({ a: (_a, b) => tf.reciprocal(b), b: (_a, b, y) => tf.neg(tf.div(y, b)) }),
  SquaredDifference: binary({
    a: (a, b) => tf.mul(2, tf.sub(a, b)),
    b: (a, b) => tf.mul(2, tf.sub(b, a)),
  }),
  // At a tie the first input has the whole slope, as in tfjs's own gradients.
  Maximum: binary({ a: (a, b) => indicator(tf.greaterEqual(a, b)), b: (a, b) => indicator(tf.less(a, b)) }),
  Minimum: binary({ a: (a, b) => indicator(tf.lessEqual(a, b)), b: (a, b) => indicator(tf.greater(a, b)) }),
  Pow: binary({
    a: (a, b) => tf.mul(b, tf.pow(a, tf.sub(b, 1))),
    // Zero where the logarithm has no value, as in tfjs's own gradients.
    b: (a, _b, y) => tf.mul(y, tf.where(tf.greater(a, 0), tf.log(a), tf.zerosLike(a))),
  }),
  Atan2: binary({
    a: (a, b) => tf.div(b, tf.add(tf.square(a), tf.square(b))),
    b: (a, b) => tf.neg(tf.div(a, tf.add(tf.square(a), tf.square(b)))),
  }),
  // a − ⌊a/b⌋ b
  Mod: binary({ a: (a) => tf.onesLike(a), b: (a, b) => tf.neg(tf.floor(tf.div(a, b))) }),

  Neg: rule<'x'>(({ tangents }) => tangents.x && tf.neg(tangents.x)),
  Exp: unary((_x, y) => y),
  Expm1: unary((_x, y) => tf.add(y, 1)),
  Log: unary((x) => tf.reciprocal(x)),
  Log1p: unary((x) => tf.reciprocal(tf.add(x, 1))),
  Square: unary((x) => tf.mul(2, x)),
  Sqrt: unary((_x, y) => tf.div(0.5, y)),
  Rsqrt: unary((_x, y) => tf.mul(-0.5, tf.mul(y, tf.square(y)))),
  Reciprocal: unary((_x, y) => tf.neg(tf.square(y))),
  Abs: unary((x) => tf.sign(x)),
  Sin: unary((x) => tf.cos(x)),
  Cos: unary((x) => tf.neg(tf.sin(x))),
  Tan: unary((_x, y) => tf.add(1, tf.square(y))),
  Asin: unary((x) => tf.rsqrt(tf.sub(1, tf.square(x)))),
  Acos: unary((x) => tf.neg(tf.rsqrt(tf.sub(1, tf.square(x))))),
  Atan: unary((x) => tf.reciprocal(tf.add(1, tf.square(x)))),
  Sinh: unary((x) => tf.cosh(x)),
  Cosh: unary((x) => tf.sinh(x)),
  Asinh: unary((x) => tf.rsqrt(tf.add(1, tf.square(x)))),
  Acosh: unary((x) => tf.rsqrt(tf.sub(tf.square(x), 1))),
  Atanh: unary((x) => tf.reciprocal(tf.sub(1, tf.square(x)))),
  Erf: unary((x) => tf.mul(2 / Math.sqrt(Math.PI), tf.exp(tf.neg(tf.square(x))))),
  // Both ends count as inside, as in tfjs's own gradients.
  ClipByValue: rule<'x', { clipValueMin: number; clipValueMax: number }>(
    ({ primals: { x }, tangents, attributes: { clipValueMin, clipValueMax } }) => {
      const inside = tf.logicalAnd(tf.greaterEqual(x, clipValueMin), tf.lessEqual(x, clipValueMax));
      return tangents.x && tf.mul(tangents.x, indicator(inside));
    },
  ),
  Cast: rule<'x', { dtype: tf.DataType }>(({ tangents, attributes: { dtype } }) => {
    if (dtype === 'complex64') throw new MissingRuleError('Cast', 'a complex result');
    return tangents.x;
  }),
};
