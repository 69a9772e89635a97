/** That the rule of every kernel is right, on every backend, as a vitest suite. */

import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { initBackend, installedBackends } from '../../backend/select.ts';
import { registerPrimitives } from '../ops/primitives.ts';
import { CASES } from './all.cases.ts';
import { type RuleCase, ruleError, seeds } from './rule-case.ts';
import { RULES } from './table.ts';

/** @param numRuns calls of each kernel, other ones each time. */
export function rulesHold(numRuns: number): void {
  describe.each(installedBackends())('on backend %s', (backend) => {
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
          { numRuns },
        );
      },
    );
  });
}
