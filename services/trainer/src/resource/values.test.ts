import { describe, expect, it } from 'vitest';
import { meanOf } from './values.ts';

describe('the mean of a vector', () => {
  it('is exact where all values are the same', () => {
    for (const value of [0.1, 0.3, 1e-7, 1e300]) {
      expect(meanOf(Array.from({ length: 10 }, () => value))).toBe(value);
    }
  });

  it('is that of its values', () => {
    expect(meanOf([1, 2, 6])).toBeCloseTo(3, 14);
    expect(meanOf([])).toBeNaN();
  });
});
