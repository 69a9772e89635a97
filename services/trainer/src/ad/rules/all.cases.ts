/** For tests: calls of every kernel that has a rule. */

import { ACTIVATION_CASES } from './activation.cases.ts';
import { CONVOLUTION_CASES } from './convolution.cases.ts';
import { ELEMENTWISE_CASES } from './elementwise.cases.ts';
import { FUSED_CASES } from './fused.cases.ts';
import { LINEAR_ALGEBRA_CASES } from './linear-algebra.cases.ts';
import { MULTILINEAR_CASES } from './multilinear.cases.ts';
import { NORMALIZATION_CASES } from './normalization.cases.ts';
import { POOLING_CASES } from './pooling.cases.ts';
import { PRIMITIVES_CASES } from './primitives.cases.ts';
import { REDUCTION_CASES } from './reduction.cases.ts';
import type { RuleCase } from './rule-case.ts';
import { SHAPE_CASES } from './shape.cases.ts';
import { SOFTMAX_CASES } from './softmax.cases.ts';

export const CASES: Readonly<Record<string, RuleCase>> = {
  ...ACTIVATION_CASES,
  ...CONVOLUTION_CASES,
  ...ELEMENTWISE_CASES,
  ...FUSED_CASES,
  ...LINEAR_ALGEBRA_CASES,
  ...MULTILINEAR_CASES,
  ...NORMALIZATION_CASES,
  ...POOLING_CASES,
  ...PRIMITIVES_CASES,
  ...REDUCTION_CASES,
  ...SHAPE_CASES,
  ...SOFTMAX_CASES,
};
