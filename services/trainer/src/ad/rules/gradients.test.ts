/** Second derivatives through tfjs's own gradients: whatever kernels these call have rules, too. */

import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { initBackend } from '../../backend/select.ts';
import { registerPrimitives } from '../ops/primitives.ts';
import '../ops/softmax-cross-entropy.ts';
import { CASES } from './all.cases.ts';
import { gradientError, type RuleCase, seeds } from './rule-case.ts';
import { RULES } from './table.ts';

beforeAll(async () => {
  await initBackend({ backend: 'cpu', log: () => {} });
  registerPrimitives('cpu');
});

describe('second derivatives', () => {
  const kernels = Object.keys(RULES).filter((kernel) => tf.getGradient(kernel) !== undefined);
  it.each(kernels)('through the gradient of %s are right', (kernel) => {
    const { calls, smoothness } = CASES[kernel] as RuleCase;
    fc.assert(
      fc.property(calls, seeds, (call, seed) => {
        const error = gradientError(kernel, call, smoothness, seed);
        // Some of tfjs's gradients throw, for instance for some ways to broadcast.
        fc.pre(error !== undefined);
        expect(error).toBeLessThanOrEqual(1e-3);
      }),
      { numRuns: 10 },
    );
  });
});
