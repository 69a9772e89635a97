import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Coordinate, CoordinateError, linear, log, logit } from './coordinate.ts';

type Make = (min: number, max: number) => Coordinate;

const scales: { name: string; make: Make; bounds: fc.Arbitrary<[number, number]> }[] = [
  { name: 'logit', make: logit, bounds: ascending(-100, 100) },
  { name: 'log', make: log, bounds: ascending(1e-6, 100) },
  { name: 'linear', make: linear, bounds: ascending(-100, 100) },
];

function ascending(min: number, max: number): fc.Arbitrary<[number, number]> {
  const number = fc.double({ min, max, noNaN: true });
  return fc.tuple(number, number).filter(([a, b]) => b - a > 1e-6 + 1e-3 * (Math.abs(a) + Math.abs(b)));
}

/** A share of the way from one bound to the other, off the ends. */
const share = fc.double({ min: 0.001, max: 0.999, noNaN: true });

describe.each(scales)('$name', ({ make, bounds }) => {
  it('comes back to a value after a round trip', () => {
    fc.assert(
      fc.property(bounds, share, ([min, max], s) => {
        const coordinate = make(min, max);
        const value = min + s * (max - min);
        const back = coordinate.toNatural(coordinate.toUnconstrained(value));
        expect(Math.abs(back - value)).toBeLessThanOrEqual(1e-12 * (Math.abs(min) + Math.abs(max)));
      }),
    );
  });

  it('grows with phi', () => {
    fc.assert(
      fc.property(bounds, share, share, ([min, max], s, t) => {
        fc.pre(t - s > 1e-6);
        const coordinate = make(min, max);
        const phi = [s, t].map((u) => coordinate.toUnconstrained(min + u * (max - min)));
        expect(phi[1]).toBeGreaterThan(phi[0] as number);
        expect(coordinate.toNatural(phi[1] as number)).toBeGreaterThan(
          coordinate.toNatural(phi[0] as number),
        );
      }),
    );
  });

  it('has the derivative that differences show', () => {
    fc.assert(
      fc.property(bounds, share, ([min, max], s) => {
        const coordinate = make(min, max);
        const phi = coordinate.toUnconstrained(min + s * (max - min));
        const step = 1e-5;
        fc.pre(coordinate.clip(phi - step) === phi - step && coordinate.clip(phi + step) === phi + step);
        const difference = (coordinate.toNatural(phi + step) - coordinate.toNatural(phi - step)) / (2 * step);
        const rounding = (1e-15 * (Math.abs(min) + Math.abs(max))) / step;
        expect(Math.abs(coordinate.derivative(phi) - difference)).toBeLessThanOrEqual(
          1e-6 * Math.abs(difference) + 10 * rounding,
        );
      }),
    );
  });

  it('stays within the bounds with a finite slope at any phi', () => {
    const extreme = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(-1e308, -800, -40, 40, 800, 1e308),
    );
    fc.assert(
      fc.property(bounds, extreme, ([min, max], phi) => {
        const coordinate = make(min, max);
        const value = coordinate.toNatural(phi);
        expect(value).toBeGreaterThanOrEqual(min);
        expect(value).toBeLessThanOrEqual(max);
        expect(Number.isFinite(coordinate.derivative(phi))).toBe(true);
        expect(coordinate.derivative(phi)).toBeGreaterThanOrEqual(0);
        expect(coordinate.toNatural(coordinate.clip(phi))).toBe(value);
        expect(Number.isFinite(coordinate.toUnconstrained(value))).toBe(true);
      }),
    );
  });

  it('has a nearest value with a phi for every other', () => {
    fc.assert(
      fc.property(bounds, fc.double({ noNaN: true }), ([min, max], value) => {
        const coordinate = make(min, max);
        const near = coordinate.nearest(value);
        expect(Number.isFinite(coordinate.toUnconstrained(near))).toBe(true);
        if (value > min && value < max) expect(near).toBe(value);
        else expect(Math.abs(near - (value <= min ? min : max))).toBeLessThan(1e-13);
      }),
    );
  });

  it('refuses reversed, equal and infinite bounds, and values outside', () => {
    expect(() => make(2, 1)).toThrow(CoordinateError);
    expect(() => make(1, 1)).toThrow(CoordinateError);
    expect(() => make(1, Number.POSITIVE_INFINITY)).toThrow(CoordinateError);
    for (const value of [0.5, 2.5, Number.NaN]) {
      expect(() => make(1, 2).toUnconstrained(value)).toThrow(CoordinateError);
    }
  });
});

describe('logit', () => {
  it('is the sigmoid with bounds 0 and 1', () => {
    expect(logit(0, 1).toNatural(-2.9444389791664403)).toBeCloseTo(0.05, 15);
    expect(logit(0, 1).toUnconstrained(0.0005)).toBeCloseTo(-7.6004023345004, 12);
  });

  it('has no coordinate for a bound', () => {
    expect(() => logit(0, 1).toUnconstrained(0)).toThrow(/strictly/);
    expect(() => logit(0, 1).toUnconstrained(1)).toThrow(/strictly/);
  });
});

describe('clipping', () => {
  it('holds log and linear at their bounds with the slope into the domain', () => {
    expect(log(0.01, 1).clip(5)).toBe(0);
    expect(log(0.01, 1).derivative(5)).toBe(1);
    expect(linear(-1, 1).clip(-3)).toBe(-1);
    expect(linear(-1, 1).derivative(-3)).toBe(1);
  });

  it('accepts a bound as a value', () => {
    expect(log(0.01, 1).toUnconstrained(1)).toBe(0);
    expect(linear(0, 1).toUnconstrained(0)).toBe(0);
  });
});

it('refuses a logarithm of a bound that is not positive', () => {
  expect(() => log(0, 1)).toThrow(/positive/);
});
