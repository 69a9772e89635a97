import { expect, it } from 'vitest';
import { studentInterval } from './statistics.ts';

/** Of mean 0 and as many values as told. */
const values = (count: number) => Array.from({ length: count }, (_, i) => i - (count - 1) / 2);
const half = (count: number): number => {
  const [low = 0, high = 0] = studentInterval(values(count)) ?? [];
  expect(low).toBeCloseTo(-high, 9);
  return high;
};
/** Of values 1 apart: half of the interval over the standard error of the mean. */
const quantile = (count: number): number => half(count) / Math.sqrt((count + 1) / 12);

it('are of Student with as many degrees of freedom as there are values less one', () => {
  expect(studentInterval([1])).toBeUndefined();
  for (const [count, expected] of [
    [2, 12.706],
    [12, 2.201],
    [31, 2.042],
    [100, 2.042],
  ] as const) {
    expect(quantile(count)).toBeCloseTo(expected, 9);
  }
});
