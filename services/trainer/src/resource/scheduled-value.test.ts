import {
  CooldownSchedule,
  CosineSchedule,
  PointsSchedule,
  type ScheduledParameter,
} from '@glocal/proto/glocal/v1/study';
import { describe, expect, it } from 'vitest';
import { scheduledValues } from './scheduled-value.ts';

type Schedule = NonNullable<ScheduledParameter['schedule']>;

/** Values of all steps of a training, and that after its end. */
const valuesOf = (schedule: Schedule, steps: number): number[] =>
  Array.from({ length: steps + 1 }, (_, step) => scheduledValues({ schedule }, step, steps)).flat();

const close = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 12) as number);

describe('points', () => {
  const through = (...points: [step: number, value: number][]): Schedule => ({
    $case: 'points',
    value: PointsSchedule.fromPartial({ points: points.map(([step, value]) => ({ step, value })) }),
  });

  it('have straight lines between them, and the same value before the first and after the last', () => {
    expect(valuesOf(through([2, 1], [4, 3], [5, 0]), 6)).toEqual([1, 1, 1, 2, 3, 0, 0]);
    expect(valuesOf(through([1, 0.5]), 3)).toEqual([0.5, 0.5, 0.5, 0.5]);
  });

  it('of a vector have a line for each component', () => {
    const points = [
      { step: 1, values: [1, 0] },
      { step: 3, values: [2, 0.5] },
    ];
    const schedule = { $case: 'points' as const, value: PointsSchedule.fromPartial({ points }) };
    const at = (step: number) => scheduledValues({ schedule }, step, 5);
    expect([0, 1, 2, 3, 4].map(at)).toEqual([
      [1, 0],
      [1, 0],
      [1.5, 0.25],
      [2, 0.5],
      [2, 0.5],
    ]);
  });
});

describe('a cosine', () => {
  const cosine = (schedule: Partial<CosineSchedule>): Schedule => ({
    $case: 'cosine',
    value: CosineSchedule.create(schedule),
  });

  it('falls from the peak at the start to its final value at the end', () => {
    const half = Math.SQRT1_2;
    expect(valuesOf(cosine({ peak: 2 }), 4)).toEqual(close([2, 1 + half, 1, 1 - half, 0]));
    expect(valuesOf(cosine({ peak: 2, final: 1 }), 2)).toEqual(close([2, 1.5, 1]));
  });

  it('rises over its warm-up in equal steps, the last of which has the peak', () => {
    expect(valuesOf(cosine({ peak: 1, warmupSteps: 4 }), 6)).toEqual(close([0.25, 0.5, 0.75, 1, 1, 0.5, 0]));
  });
});

describe('a cooldown', () => {
  const cooldown = (schedule: Partial<CooldownSchedule>): Schedule => ({
    $case: 'cooldown',
    value: CooldownSchedule.create(schedule),
  });

  it('is constant, and then less by the square root of the share of its last steps that is done', () => {
    expect(valuesOf(cooldown({ value: 2, cooldownSteps: 4 }), 6)).toEqual(
      close([2, 2, 2, 1, 2 * (1 - Math.SQRT1_2), 2 * (1 - Math.sqrt(0.75)), 0]),
    );
  });

  it('may begin with a warm-up', () => {
    expect(valuesOf(cooldown({ value: 1, cooldownSteps: 1, warmupSteps: 2 }), 4)).toEqual(
      close([0.5, 1, 1, 1, 0]),
    );
  });
});
