import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ExternalWindows } from './external-windows.ts';
import type { CompleteStudySpec } from './spec.ts';

/** Windows that have room for their rows. */
const windows = fc
  .record({
    sigma: fc.integer({ min: 1, max: 20 }),
    stride: fc.integer({ min: 1, max: 5 }),
    more: fc.nat(20),
  })
  .map(({ sigma, stride, more }) => {
    const window = (sigma - 1) * stride + 1 + more;
    const method = { window, sigma, stride, estimator: 'glocal' } as CompleteStudySpec['method'];
    return new ExternalWindows(method);
  });
const stepsOf = ({ length }: ExternalWindows): number[] => Array.from({ length }, (_, step) => step);

it('needs as many hypergradients as there are rows, the last one after the last step', () => {
  fc.assert(
    fc.property(windows, (window) => {
      const needed = stepsOf(window).filter((step) => window.needs(step));
      expect(needed).toHaveLength(window.rows);
      expect(needed.at(-1)).toBe(window.length - 1);
    }),
  );
});

it('is as far as the step after the last row that is stored', () => {
  fc.assert(
    fc.property(windows, (window) => {
      const needed = stepsOf(window).filter((step) => window.needs(step));
      expect(window.stepsUntil(0)).toBe(0);
      for (const [i, step] of needed.entries()) expect(window.stepsUntil(i + 1)).toBe(step + 1);
    }),
  );
});

it('needs the last one alone with the estimator local', () => {
  const method = { window: 5, sigma: 4, stride: 1, estimator: 'local' } as CompleteStudySpec['method'];
  const window = new ExternalWindows(method);
  expect(stepsOf(window).filter((step) => window.needs(step))).toEqual([4]);
});
