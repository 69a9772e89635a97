import { OuterSchedule } from '@glocal/proto/glocal/v1/study';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rateShareOf } from './outer-schedule.ts';

const place = fc
  .integer({ min: 1, max: 10_000 })
  .chain((updates) => fc.tuple(fc.integer({ min: 0, max: updates - 1 }), fc.constant(updates)));

describe('the share of the outer rate', () => {
  it.each([OuterSchedule.CONSTANT, OuterSchedule.UNSPECIFIED])(
    'is all of it with schedule %s',
    (schedule) => {
      fc.assert(fc.property(place, ([k, updates]) => rateShareOf(schedule, k, updates) === 1));
    },
  );

  it('falls as half a cosine from all of it, and is never 0 for an update that there is', () => {
    const shares = [0, 1, 2, 3].map((k) => rateShareOf(OuterSchedule.COSINE, k, 4));
    const root = Math.SQRT2 / 2;
    [1, (1 + root) / 2, 0.5, (1 - root) / 2].forEach((share, k) => {
      expect(shares[k]).toBeCloseTo(share, 12);
    });
    fc.assert(
      fc.property(place, ([k, updates]) => {
        const share = rateShareOf(OuterSchedule.COSINE, k, updates);
        const next = rateShareOf(OuterSchedule.COSINE, k + 1, updates);
        const mirrored = rateShareOf(OuterSchedule.COSINE, updates - k, updates);
        expect(share).toBeGreaterThan(0);
        expect(next).toBeLessThan(share);
        expect(share + mirrored).toBeCloseTo(1, 12);
      }),
    );
  });
});
