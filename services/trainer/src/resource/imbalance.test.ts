import fc from 'fast-check';
import { expect, it } from 'vitest';
import { riseByFrequencies } from './imbalance.ts';

it('frequencies alone raise the loss of balanced examples by less than the bound', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 100 }),
      fc.double({ min: 1, max: 1e4, noNaN: true }),
      (classes, factor) => {
        // Geometrically, as problems thin classes out, and a little further: down to the whole factor.
        const sizes = Array.from({ length: classes }, (_, c) => factor ** (-c / (classes - 1)));
        const all = sizes.reduce((sum, size) => sum + size, 0);
        const loss = sizes.reduce((sum, size) => sum - Math.log(size / all), 0) / classes;
        expect(loss - Math.log(classes)).toBeLessThanOrEqual(
          riseByFrequencies({ imbalanceFactor: factor }) + 1e-9,
        );
      },
    ),
  );
  expect(riseByFrequencies(undefined)).toBe(0);
  expect(riseByFrequencies({ imbalanceFactor: 0 })).toBe(0);
});
