import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { isNativeInstalled } from '../../backend/native-runtime.ts';
import { type BackendName, initBackend } from '../../backend/select.ts';
import { registerPrimitives } from '../ops/primitives.ts';
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
import { type RuleCase, ruleError, seeds } from './rule-case.ts';
import { SHAPE_CASES } from './shape.cases.ts';
import { SOFTMAX_CASES } from './softmax.cases.ts';
import { RULES } from './table.ts';

const CASES: Readonly<Record<string, RuleCase>> = {
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

const BACKENDS: readonly BackendName[] = [
  'cpu',
  'wasm',
  ...(isNativeInstalled() ? ['tensorflow' as const] : []),
];

it('every rule is tested', () => {
  expect(Object.keys(CASES).sort()).toEqual(Object.keys(RULES).sort());
});

describe.each(BACKENDS)('on backend %s', (backend) => {
  beforeAll(async () => {
    await initBackend({ backend, log: () => {} });
    registerPrimitives(backend);
  });

  it.for(Object.keys(RULES))(
    '%s moves as its differences, for every combination of tangents',
    (kernel, { skip }) => {
      const { smoothness, calls, defects } = CASES[kernel] as RuleCase;
      skip(tf.getKernel(kernel, backend) === undefined, `${backend} does not have this kernel`);
      skip(defects?.[backend] !== undefined, defects?.[backend]);
      fc.assert(
        fc.property(calls, fc.integer({ min: 1, max: 4 }), seeds, (call, q, seed) => {
          expect(ruleError(kernel, call, smoothness, q, seed)).toBeLessThanOrEqual(1);
        }),
        { numRuns: 30 },
      );
    },
  );
});
