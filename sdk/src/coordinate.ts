/** The unconstrained coordinates in which hyperparameters move (docs/method.md, section 1). */

import type { Scale } from './enums.ts';

/** The map between a value and its coordinate phi. */
export interface Coordinate {
  /** phi of a value within the bounds, finite also where rounding has brought a `logit` value onto its bound. */
  toUnconstrained(value: number): number;
  /** The value at phi, which the server accepts: within the bounds, for `logit` strictly. */
  toNatural(phi: number): number;
}

/** @param bounds min < max, for `log` above 0 */
export function coordinate(
  scale: Scale,
  { min, max }: { readonly min: number; readonly max: number },
): Coordinate {
  switch (scale) {
    case 'logit':
      return logit(min, max);
    case 'log':
      return {
        toUnconstrained: Math.log,
        toNatural: (phi) => within(Math.exp(phi), min, max),
      };
    case 'linear':
      return { toUnconstrained: (value) => value, toNatural: (phi) => within(phi, min, max) };
  }
}

/** value = min + (max − min) / (1 + e^(−phi)): the bounds are never reached. */
function logit(min: number, max: number): Coordinate {
  const range = max - min;
  const [least, most] = [nextInside(min, max), nextInside(max, min)];
  return {
    toUnconstrained(value) {
      const inside = within(value, least, most);
      return Math.log(inside - min) - Math.log(max - inside);
    },
    // Measured from the nearer bound, which keeps full precision on both sides.
    toNatural: (phi) =>
      within(phi < 0 ? min + range * sigmoid(phi) : max - range * sigmoid(-phi), least, most),
  };
}

/** The number nearest to a bound on the side of the other one. */
function nextInside(bound: number, other: number): number {
  if (bound === 0) return other > 0 ? Number.MIN_VALUE : -Number.MIN_VALUE;
  const grows = other > bound === bound > 0;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, bound);
  view.setBigInt64(0, view.getBigInt64(0) + (grows ? 1n : -1n));
  return view.getFloat64(0);
}

/** 1 / (1 + e^(−x)) for x < 0 without overflow. */
function sigmoid(x: number): number {
  const e = Math.exp(x);
  return e / (1 + e);
}

const within = (x: number, min: number, max: number): number => Math.min(max, Math.max(min, x));
