import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coordinate } from './coordinate.ts';
import type { Scale } from './enums.ts';

const SCALES: readonly Scale[] = ['logit', 'log', 'linear'];
const finite = fc.double({ min: -1e6, max: 1e6, noNaN: true });
/** Bounds that are no closer than numbers of their size can be told apart well. */
const bounds = (scale: Scale) =>
  fc
    .tuple(scale === 'log' ? fc.double({ min: 1e-9, max: 1e3, noNaN: true }) : finite, finite)
    .map(([min, width]) => ({ min, max: min + Math.max(1e-3, Math.abs(width), 1e-6 * Math.abs(min)) }));

describe.each(SCALES)('the coordinate %s', (scale) => {
  it('gives values that the server takes, wherever a point is', () => {
    fc.assert(
      fc.property(bounds(scale), fc.double({ noNaN: true, noDefaultInfinity: true }), (limits, phi) => {
        const value = coordinate(scale, limits).toNatural(phi);
        const isStrict = scale !== 'logit' || (value > limits.min && value < limits.max);
        expect(isStrict && value >= limits.min && value <= limits.max).toBe(true);
      }),
    );
  });

  it('rises with its value', () => {
    fc.assert(
      fc.property(bounds(scale), finite, finite, (limits, a, b) => {
        const { toNatural } = coordinate(scale, limits);
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        // But for what rounding takes.
        const rounding = 4 * Number.EPSILON * Math.max(Math.abs(limits.min), Math.abs(limits.max));
        expect(toNatural(low)).toBeLessThanOrEqual(toNatural(high) + rounding);
      }),
    );
  });

  it('leads back to the value that it came from', () => {
    fc.assert(
      fc.property(bounds(scale), fc.double({ min: 0.001, max: 0.999, noNaN: true }), (limits, share) => {
        const { toNatural, toUnconstrained } = coordinate(scale, limits);
        const value = limits.min + share * (limits.max - limits.min);
        expect(Math.abs(toNatural(toUnconstrained(value)) - value)).toBeLessThanOrEqual(
          1e-9 * Math.max(Math.abs(limits.min), Math.abs(limits.max)),
        );
      }),
    );
  });

  it('has a finite point for each of its bounds', () => {
    fc.assert(
      fc.property(bounds(scale), ({ min, max }) => {
        const { toUnconstrained } = coordinate(scale, { min, max });
        expect([toUnconstrained(min), toUnconstrained(max)].every(Number.isFinite)).toBe(true);
      }),
    );
  });
});
