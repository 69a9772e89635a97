import { describe, expect, it } from 'vitest';
import { getOptimizer, listOptimizers } from './registry.ts';
import { sgd } from './sgd.ts';

describe('the registry', () => {
  it('finds optimizers by id, and names the known ones otherwise', () => {
    expect(listOptimizers().map(({ id }) => id)).toEqual([
      'sgd',
      'sgd-nesterov',
      'sgdw',
      'sgdw-nesterov',
      'rmsprop',
      'adam',
      'adamw',
      'schedule-free',
      'schedule-free-adamw',
      'prodigy',
    ]);
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
