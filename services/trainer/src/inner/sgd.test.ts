import { describe, expect, it } from 'vitest';
import { getOptimizer, listOptimizers } from './registry.ts';
import { sgd, updateMatrix } from './sgd.ts';

const values = { lr: 0.5, momentum: 0.25, weightDecay: 0.125 };

/** Without negative zeros. */
const matrix = (...args: Parameters<typeof updateMatrix>) =>
  updateMatrix(...args).map((row) => row.map((x) => x + 0));

describe('updateMatrix', () => {
  it('is the update itself when nothing is learned', () => {
    // Columns θ, v, g; rows θ' − θ = −η v', v' = wθ + μv + g.
    expect(matrix(values, [])).toEqual([
      [-0.0625, -0.125, -0.5],
      [0.125, 0.25, 1],
    ]);
  });

  it('adds what the hyperparameter itself moves', () => {
    // Columns θ, Z, v, dv, g, HZ. By the rate: dθ' = dθ − η dv' − η' v'.
    const byRate = matrix(values, [{ name: 'lr', derivative: 2 }]);
    expect(byRate[1]).toEqual([-0.25, -0.0625, -0.5, -0.125, -2, -0.5]);
    expect(byRate[3]).toEqual([0, 0.125, 0, 0.25, 0, 1]);
    const byMomentum = matrix(values, [{ name: 'momentum', derivative: 2 }]);
    expect(byMomentum[3]).toEqual([0, 0.125, 2, 0.25, 0, 1]);
    const byDecay = matrix(values, [{ name: 'weightDecay', derivative: 2 }]);
    expect(byDecay[3]).toEqual([2, 0.125, 0, 0.25, 0, 1]);
    expect(byDecay[1]).toEqual([-1, -0.0625, 0, -0.125, 0, -0.5]);
  });
});

describe('the registry', () => {
  it('finds optimizers by id, and names the known ones otherwise', () => {
    expect(listOptimizers()).toContain(sgd);
    expect(getOptimizer('sgd')).toBe(sgd);
    expect(() => getOptimizer('newton')).toThrow(/"newton".*sgd/);
  });

  it('lists hyperparameters whose defaults lie in their domains', () => {
    for (const { hyperparameters } of listOptimizers()) {
      for (const { min, max, defaultValue = min } of hyperparameters) {
        expect(min).toBeLessThan(max);
        expect(defaultValue).toBeGreaterThanOrEqual(min);
        expect(defaultValue).toBeLessThanOrEqual(max);
      }
    }
  });
});
