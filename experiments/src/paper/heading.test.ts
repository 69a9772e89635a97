import { expect, it } from 'vitest';
import { divisorsOf } from '../sizes.ts';
import { cosineOf } from './heading.ts';

it('each component counts by its own size', () => {
  const sizes = divisorsOf([Float64Array.of(1000, -2, 0), Float64Array.of(-500, 1, 0)]);
  expect(sizes).toEqual(Float64Array.of(1000, 2, 1));
  expect(cosineOf([1000, -2, 0], [500, -1, 0], sizes)).toBeCloseTo(1, 12);
  // As a plain vector that would be nearly the same direction.
  expect(cosineOf([1000, -2, 0], [1000, 2, 0], sizes)).toBeCloseTo(0, 12);
  expect(cosineOf([0, 0, 0], [1, 1, 1], sizes)).toBe(0);
});
