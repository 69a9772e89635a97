/**
 * Which kernel has which JVP rule. A new kernel is one entry here and one test. Every kernel with a gradient in tfjs has
 * one, and every kernel that those gradients call; but for complex numbers, which no float32 parameter reaches.
 */

import { ACTIVATION } from './activation.ts';
import { CONVOLUTION } from './convolution.ts';
import { ELEMENTWISE } from './elementwise.ts';
import { FUSED } from './fused.ts';
import { LINEAR_ALGEBRA } from './linear-algebra.ts';
import { MULTILINEAR } from './multilinear.ts';
import { NORMALIZATION } from './normalization.ts';
import { POOLING } from './pooling.ts';
import { PRIMITIVES } from './primitives.ts';
import { REDUCTION } from './reduction.ts';
import type { Rule } from './rule.ts';
import { SHAPE } from './shape.ts';
import { SOFTMAX } from './softmax.ts';

export const RULES: Readonly<Record<string, Rule>> = {
  ...ACTIVATION,
  ...CONVOLUTION,
  ...ELEMENTWISE,
  ...FUSED,
  ...LINEAR_ALGEBRA,
  ...MULTILINEAR,
  ...NORMALIZATION,
  ...POOLING,
  ...PRIMITIVES,
  ...REDUCTION,
  ...SHAPE,
  ...SOFTMAX,
};

/** Kernels with outputs of dtype float32 that do not change with their inputs (where they have a derivative at all). */
export const CONSTANT_KERNELS: ReadonlySet<string> = new Set([
  'ArgMax',
  'ArgMin',
  'Ceil',
  'Equal',
  'Fill',
  'Floor',
  'FloorDiv',
  'Greater',
  'GreaterEqual',
  'IsFinite',
  'IsInf',
  'IsNan',
  'Less',
  'LessEqual',
  'LogicalAnd',
  'LogicalNot',
  'LogicalOr',
  'NotEqual',
  'OneHot',
  'OnesLike',
  'Range',
  'Round',
  'Sign',
  'Step',
  'ZerosLike',
]);
