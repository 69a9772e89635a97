import { Timing } from '@glocal/proto/glocal/v1/study';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { duration } from './duration.ts';
import { addTimings, costOf } from './timing.ts';

const timing = (ms: Record<string, number>, plainSteps = 0): Timing =>
  Timing.fromPartial({
    ...Object.fromEntries(Object.entries(ms).map(([part, time]) => [part, duration(time)])),
    plainSteps,
  });

describe('the timings of outer steps', () => {
  it('add up part by part, and a part that neither has stays absent', () => {
    const first = timing({ training: 1_600, hypergradients: 700, plain: 400 }, 40);
    const second = timing({ training: 900, dmd: 5, plain: 350, checkpoint: 2 }, 35);
    expect(addTimings(first, second)).toEqual(
      timing({ training: 2_500, hypergradients: 700, dmd: 5, plain: 750, checkpoint: 2 }, 75),
    );
  });
});

describe('the cost of a trial', () => {
  it('is its time for training, hypergradients and the DMD service over that of as many plain steps', () => {
    // 100 steps of which 60 were plain, 10 ms each; a window of 40 took three times that.
    const spent = { training: 600 + 1_200, plain: 600, hypergradients: 300, dmd: 50 };
    const rest = { other: 10_000, decision: 60_000, checkpoint: 500 };
    expect(costOf(timing({ ...spent, ...rest }, 60), 100)).toBeCloseTo(2.15, 9);
  });

  it('is 1 where all steps are plain, however long they take', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.double({ min: 1, max: 1e6, noNaN: true }),
        (steps, ms) => {
          expect(costOf(timing({ training: ms, plain: ms }, steps), steps)).toBeCloseTo(1, 9);
        },
      ),
    );
  });

  it('is not known before a plain step was timed', () => {
    expect(costOf(timing({ training: 100 }), 50)).toBe(0);
    expect(costOf(timing({}), 0)).toBe(0);
  });
});
