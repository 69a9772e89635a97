import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  countUpdates,
  countWarmupWindows,
  countWindows,
  type OuterStepShape,
  outerStepFrom,
  type WindowPattern,
} from './windows.ts';

/** The outer steps of a whole training. */
function outerSteps(pattern: WindowPattern, steps: number): OuterStepShape[] {
  const shapes: OuterStepShape[] = [];
  for (let done = 0; done < steps; ) {
    const shape = outerStepFrom(pattern, done, steps);
    shapes.push(shape);
    done += shape.plainSteps + shape.windowSteps;
  }
  return shapes;
}

/** Where its windows end. */
function ends(shapes: readonly OuterStepShape[]): number[] {
  let done = 0;
  return shapes.flatMap(({ plainSteps, windowSteps }) => {
    done += plainSteps + windowSteps;
    return windowSteps > 0 ? [done] : [];
  });
}

const patterns = fc
  .record({
    window: fc.integer({ min: 1, max: 60 }),
    plain: fc.integer({ min: 0, max: 200 }),
    warmupWindows: fc.integer({ min: 1, max: 12 }),
    warmupWindowSteps: fc.integer({ min: 1, max: 60 }),
    steps: fc.integer({ min: 1, max: 2_000 }),
  })
  .map(({ window, plain, warmupWindows, warmupWindowSteps, steps }) => ({
    pattern: {
      window,
      interval: window + plain,
      warmupWindows,
      warmupWindowSteps: Math.min(warmupWindowSteps, window),
    },
    steps,
  }));

describe('the windows of a training', () => {
  it('end after each of the first ones in a row, and then at every interval as long as there are steps', () => {
    fc.assert(
      fc.property(patterns, ({ pattern, steps }) => {
        const { interval, warmupWindows, warmupWindowSteps } = pattern;
        const expected: number[] = [];
        for (let i = 1; i <= warmupWindows; i++) expected.push(i * warmupWindowSteps);
        const warm = warmupWindows * warmupWindowSteps;
        for (let end = warm + interval; end <= steps; end += interval) expected.push(end);
        expect(ends(outerSteps(pattern, steps))).toEqual(expected.filter((end) => end <= steps));
      }),
    );
  });

  it('are whole and do not overlap, and the outer steps make up the training', () => {
    fc.assert(
      fc.property(patterns, ({ pattern, steps }) => {
        const shapes = outerSteps(pattern, steps);
        expect(shapes.reduce((sum, shape) => sum + shape.plainSteps + shape.windowSteps, 0)).toBe(steps);
        const { window, warmupWindows, warmupWindowSteps } = pattern;
        for (const [index, { plainSteps, windowSteps }] of shapes.entries()) {
          expect(plainSteps).toBeGreaterThanOrEqual(0);
          expect([0, index < warmupWindows ? warmupWindowSteps : window]).toContain(windowSteps);
        }
        // Only what is left has no window.
        expect(shapes.slice(0, -1).every(({ windowSteps }) => windowSteps > 0)).toBe(true);
      }),
    );
  });

  it('are as many as there are outer steps with one', () => {
    fc.assert(
      fc.property(patterns, ({ pattern, steps }) => {
        const windows = ends(outerSteps(pattern, steps)).length;
        expect(countWindows(pattern, steps)).toBe(windows);
        expect(countWarmupWindows(pattern, steps)).toBe(Math.min(windows, pattern.warmupWindows));
      }),
    );
  });

  it('lie side by side by default, as many as the training has room for', () => {
    const pattern = { window: 50, interval: 50, warmupWindows: 1, warmupWindowSteps: 50 };
    expect(outerSteps(pattern, 200)).toEqual(Array(4).fill({ plainSteps: 0, windowSteps: 50 }));
    expect(countWindows(pattern, 200)).toBe(4);
  });

  it('leave an outer step of plain steps where the training is not over with the last of them', () => {
    const shapes = outerSteps({ window: 50, interval: 200, warmupWindows: 2, warmupWindowSteps: 25 }, 400);
    expect(shapes).toEqual([
      { plainSteps: 0, windowSteps: 25 },
      { plainSteps: 0, windowSteps: 25 },
      { plainSteps: 150, windowSteps: 50 },
      { plainSteps: 150, windowSteps: 0 },
    ]);
  });
});

describe('the updates of a trial', () => {
  it('are as many as its windows, and as many as its trainings where there are some', () => {
    const pattern = { window: 50, interval: 400, warmupWindows: 12, warmupWindowSteps: 50 };
    expect(countUpdates({ ...pattern, trainings: 0 }, { steps: 4_000 })).toBe(12 + 8);
    expect(countUpdates({ ...pattern, trainings: 7 }, { steps: 4_000 })).toBe(7);
  });
});
