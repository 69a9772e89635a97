import { OuterSchedule } from '@glocal/proto/glocal/v1/study';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rateShareOf } from './outer-schedule.ts';

const place = fc.double({ min: 0, max: 0.9999, noNaN: true });

describe('the share of the outer rate', () => {
  it.each([OuterSchedule.CONSTANT, OuterSchedule.UNSPECIFIED])(
    'is all of it with schedule %s',
    (schedule) => {
      fc.assert(fc.property(place, (done) => rateShareOf(schedule, done) === 1));
    },
  );

  it('falls as half a cosine from all of it, and is never 0 for an update that there is', () => {
    const share = (done: number) => rateShareOf(OuterSchedule.COSINE, done);
    const root = Math.SQRT2 / 2;
    [1, (1 + root) / 2, 0.5, (1 - root) / 2].forEach((expected, k) => {
      expect(share(k / 4)).toBeCloseTo(expected, 12);
    });
    fc.assert(
      fc.property(place, fc.double({ min: 1e-5, max: 1, noNaN: true }), (done, more) => {
        expect(share(done)).toBeGreaterThan(0);
        expect(share(done + more * (1 - done))).toBeLessThan(share(done));
        expect(share(done) + share(1 - done)).toBeCloseTo(1, 12);
      }),
    );
  });
});
