import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scheduledValue } from '../resource/scheduled-value.ts';
import { knotsOf } from './replays.ts';

describe('values that hold from a step on', () => {
  it('are the same at every step as points that lines go through', () => {
    const changes = fc.uniqueArray(fc.nat(40), { minLength: 1 }).chain((steps) => {
      const [, ...others] = steps.toSorted((a, b) => a - b);
      return fc.tuple(
        ...[0, ...others].map((step) => fc.record({ step: fc.constant(step), value: fc.nat(3) })),
      );
    });
    fc.assert(
      fc.property(changes, fc.integer({ min: 1, max: 40 }), (points, steps) => {
        const knots = knotsOf(points, steps);
        const schedule = { $case: 'points' as const, value: { points: knots } };
        for (let step = 0; step < steps; step++) {
          const expected = points.findLast((point) => point.step <= step)?.value;
          expect(scheduledValue({ schedule }, step, steps)).toBe(expected);
        }
        // As a study may have them.
        expect(knots.every((knot, i) => knot.step < steps && knot.step > (knots[i - 1]?.step ?? -1))).toBe(
          true,
        );
      }),
    );
  });
});
