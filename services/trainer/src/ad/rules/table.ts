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

/** By the file that they stand in. */
const GROUPS: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  activation: ACTIVATION,
  convolution: CONVOLUTION,
  elementwise: ELEMENTWISE,
  fused: FUSED,
  'linear-algebra': LINEAR_ALGEBRA,
  multilinear: MULTILINEAR,
  normalization: NORMALIZATION,
  pooling: POOLING,
  primitives: PRIMITIVES,
  reduction: REDUCTION,
  shape: SHAPE,
  softmax: SOFTMAX,
};

export const RULES: Readonly<Record<string, Rule>> = Object.assign({}, ...Object.values(GROUPS));

/** Name of the file in this folder that has the kernel's rule; undefined where there is no rule. */
export const ruleFile = (kernel: string): string | undefined =>
  Object.keys(GROUPS).find((name) => kernel in (GROUPS[name] ?? {}));

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
