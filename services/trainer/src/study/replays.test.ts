import { Grouping } from '@glocal/proto/glocal/v1/study';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scheduledValues } from '../resource/scheduled-value.ts';
import { knotsOf } from './replays.ts';

describe('values that hold from a step on', () => {
  it.each([1, 3])('are the same at every step as points that lines go through, %i at a time', (count) => {
    const size = { minLength: count, maxLength: count };
    const changes = fc.uniqueArray(fc.nat(40), { minLength: 1 }).chain((steps) => {
      const [, ...others] = steps.toSorted((a, b) => a - b);
      return fc.tuple(
        ...[0, ...others].map((step) =>
          fc.record({ step: fc.constant(step), given: fc.array(fc.nat(2), size) }),
        ),
      );
    });
    fc.assert(
      fc.property(changes, fc.integer({ min: 1, max: 40 }), (given, steps) => {
        const points = given.map(({ step, given: [value = 0, ...values] }) =>
          values.length === 0 ? { step, value, values } : { step, value: 0, values: [value, ...values] },
        );
        const knots = knotsOf(points, steps);
        const schedule = { $case: 'points' as const, value: { points: knots, grouping: Grouping.NONE } };
        for (let step = 0; step < steps; step++) {
          const expected = given.findLast((point) => point.step <= step)?.given;
          expect(scheduledValues({ schedule }, step, steps)).toEqual(expected);
        }
        // As a study may have them.
        expect(knots.every((knot, i) => knot.step < steps && knot.step > (knots[i - 1]?.step ?? -1))).toBe(
          true,
        );
      }),
    );
  });
});
