/** Unconstrained coordinates of bounded hyperparameters (docs/method.md, section 1), for the trainer and its clients. */

/** One hyperparameter's map between its natural value and the coordinate phi in which it is optimised. */
export interface Coordinate {
  /**
   * phi of a natural value.
   * @throws CoordinateError when the value is not a number within the bounds (strictly within, for {@link logit}).
   */
  toUnconstrained(value: number): number;
  /**
   * The natural value, always one that {@link toUnconstrained} takes, however far away phi is; a phi that {@link clip} would
   * change counts as clipped.
   */
  toNatural(phi: number): number;
  /** dvalue/dphi at `clip(phi)`, never negative. At a bound it is the slope into the domain, so that a clipped parameter can leave. */
  derivative(phi: number): number;
  /** The nearest phi whose value is within the bounds; phi itself for {@link logit}, which never reaches them. */
  clip(phi: number): number;
  /** The nearest value that has a phi; NaN stays NaN. */
  nearest(value: number): number;
}

/** Bounds or a value that the coordinate cannot represent. */
export class CoordinateError extends RangeError {
  override readonly name = 'CoordinateError';
}

/**
 * Sigmoid onto the bounds, value = min + (max − min) / (1 + e^(−phi)): the paper's choice, with bounds (0, 1).
 * @throws CoordinateError unless min < max, both finite.
 */
export function logit(min: number, max: number): Coordinate {
  requireBounds(min, max);
  const range = max - min;
  const [least, most] = [nextInside(min, max), nextInside(max, min)];
  const nearest = (value: number) => within(value, least, most);
  return {
    toUnconstrained(value) {
      if (!(value > min && value < max)) {
        throw new CoordinateError(`${value} is not strictly between ${min} and ${max}`);
      }
      return Math.log(value - min) - Math.log(max - value);
    },
    // Measured from the nearer bound, which keeps full precision on both sides.
    toNatural: (phi) => nearest(phi < 0 ? min + range * sigmoid(phi) : max - range * sigmoid(-phi)),
    derivative: (phi) => range * sigmoid(phi) * sigmoid(-phi),
    clip: (phi) => phi,
    nearest,
  };
}

/**
 * Logarithm, value = e^phi, clipped to the bounds.
 * @throws CoordinateError unless 0 < min < max, both finite.
 */
export function log(min: number, max: number): Coordinate {
  requireBounds(min, max);
  if (!(min > 0)) throw new CoordinateError(`the lower bound ${min} has no logarithm; it must be positive`);
  const clip = (phi: number) => within(phi, Math.log(min), Math.log(max));
  const toNatural = (phi: number) => within(Math.exp(clip(phi)), min, max);
  return {
    toUnconstrained: (value) => Math.log(requireWithin(value, min, max)),
    toNatural,
    derivative: toNatural,
    clip,
    nearest: (value) => within(value, min, max),
  };
}

/**
 * The value itself, clipped to the bounds.
 * @throws CoordinateError unless min < max, both finite.
 */
export function linear(min: number, max: number): Coordinate {
  requireBounds(min, max);
  const clip = (phi: number) => within(phi, min, max);
  return {
    toUnconstrained: (value) => requireWithin(value, min, max),
    toNatural: clip,
    derivative: () => 1,
    clip,
    nearest: clip,
  };
}

/** Of a network's weights, whose bounds are far beyond what its sigmoid can tell apart: they keep coordinates finite. */
export const NETWORK_BOUND = 1_000;
export const networkWeight: Coordinate = linear(-NETWORK_BOUND, NETWORK_BOUND);

/** 1 / (1 + e^(−x)) without overflow for any finite x. */
function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
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

/** NaN stays NaN. */
const within = (x: number, min: number, max: number): number => Math.min(max, Math.max(min, x));

function requireBounds(min: number, max: number): void {
  if (!(Number.isFinite(min) && Number.isFinite(max) && min < max)) {
    throw new CoordinateError(`bounds ${min} and ${max} are not two finite numbers in ascending order`);
  }
}

function requireWithin(value: number, min: number, max: number): number {
  if (!(value >= min && value <= max)) throw new CoordinateError(`${value} is not between ${min} and ${max}`);
  return value;
}
