import { describe, expect, it } from 'vitest';
import { isFiniteRow, lastRow, meanRow, medianRow, norm, normalized } from './window.ts';

const rows = [Float64Array.of(1, -4), Float64Array.of(5, 0), Float64Array.of(3, 10)];

describe('rows of hypergradients', () => {
  it('have a mean, a median and a last one, component by component', () => {
    expect([...meanRow(rows)]).toEqual([3, 2]);
    expect([...medianRow(rows)]).toEqual([3, 0]);
    expect([...lastRow(rows)]).toEqual([3, 10]);
  });

  it('have, of an even number, the mean of the middle two as median', () => {
    expect([...medianRow([...rows, Float64Array.of(100, -100)])]).toEqual([4, -2]);
  });

  it('are not changed by that', () => {
    const before = rows.map((row) => [...row]);
    meanRow(rows);
    medianRow(rows);
    expect(rows.map((row) => [...row])).toEqual(before);
  });

  it.each([1e-300, 1e-9, 1, 1e300])('take the size from a hypergradient, whatever it is: %d', (size) => {
    const sized = [Float64Array.of(3 * size, -size, 0), Float64Array.of(-4 * size, -size, 0)];
    const [first, second, third] = normalized(Float64Array.of(size, -size, 0), sized);
    expect(first).toBeCloseTo(1 / Math.sqrt(12.5), 9);
    expect(second).toBeCloseTo(-1 / Math.sqrt(12.5), 9);
    expect(third).toBe(0);
  });

  it('take it from one that is far outside them to no more than twice their root mean square', () => {
    const sized = [Float64Array.of(1, 0), Float64Array.of(-1, 0)];
    expect([...normalized(Float64Array.of(-7, 3), sized)]).toEqual([-2, 2]);
    expect([...normalized(Float64Array.of(7, 3), [Float64Array.of(0, 0)])]).toEqual([0, 0]);
  });

  it('have a Euclidean norm', () => expect(norm(Float64Array.of(3, -4))).toBe(5));

  it.each([1e-200, 1, 1e200])('have one for many components of size %d, too', (size) => {
    expect(norm(new Float64Array(1_000_000).fill(-size)) / size).toBeCloseTo(1_000);
  });

  it('have none without components, or without size', () => {
    expect(norm(new Float64Array())).toBe(0);
    expect(norm(new Float64Array(2))).toBe(0);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'are not finite with %d',
    (value) => {
      expect(isFiniteRow(Float64Array.of(1, value))).toBe(false);
      expect(isFiniteRow(Float64Array.of(1, Number.MAX_VALUE))).toBe(true);
    },
  );
});
