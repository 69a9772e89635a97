import { describe, expect, it } from 'vitest';
import { adamUpdate, initialAdam } from './adam.ts';

const options = { rate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

describe('adamUpdate', () => {
  it('moves each component by the rate against the sign at first, whatever the size of the gradient', () => {
    const { point } = adamUpdate(Float64Array.of(1, 1), Float64Array.of(1e-3, -1e4), initialAdam(2), options);
    expect(point[0]).toBeCloseTo(0.9, 4);
    expect(point[1]).toBeCloseTo(1.1, 10);
  });

  it('follows the recurrences written out by hand for two steps', () => {
    const first = adamUpdate(Float64Array.of(0), Float64Array.of(2), initialAdam(1), options);
    const second = adamUpdate(first.point, Float64Array.of(-1), first.state, options);
    const m = (0.9 * 0.1 * 2 + 0.1 * -1) / (1 - 0.81);
    const v = (0.999 * 0.001 * 4 + 0.001 * 1) / (1 - 0.999 ** 2);
    const expected = -0.1 * (2 / (2 + 1e-8)) - (0.1 * m) / (Math.sqrt(v) + 1e-8);
    expect(second.point[0]).toBeCloseTo(expected, 12);
    expect(second.state.count).toBe(2);
  });

  it('leaves its arguments alone', () => {
    const point = Float64Array.of(1);
    const state = initialAdam(1);
    adamUpdate(point, Float64Array.of(1), state, options);
    expect(point[0]).toBe(1);
    expect(state).toEqual(initialAdam(1));
  });
});
