/** The outer optimizer: Adam on unconstrained coordinates (Kingma & Ba 2015; docs/method.md, section 7). */

export interface AdamOptions {
  /** Step size, in unconstrained coordinates. */
  readonly rate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** Moments after `count` updates; plain data, so that it can be stored. */
export interface AdamState {
  readonly count: number;
  /** First moment, one entry a component. */
  readonly mean: Float64Array;
  /** Second, uncentred moment. */
  readonly square: Float64Array;
}

/** State before the first update of `components` values. */
export function initialAdam(components: number): AdamState {
  return { count: 0, mean: new Float64Array(components), square: new Float64Array(components) };
}

/**
 * One update.
 * @param point phi, one entry a component; not changed.
 * @param gradient of the same length; every entry finite.
 * @returns the new point and the new state.
 */
export function adamUpdate(
  point: Float64Array,
  gradient: Float64Array,
  state: AdamState,
  { rate, beta1, beta2, epsilon }: AdamOptions,
): { point: Float64Array; state: AdamState } {
  const count = state.count + 1;
  const mean = state.mean.map((m, i) => beta1 * m + (1 - beta1) * at(gradient, i));
  const square = state.square.map((v, i) => beta2 * v + (1 - beta2) * at(gradient, i) ** 2);
  const moved = point.map((x, i) => {
    const m = at(mean, i) / (1 - beta1 ** count);
    const v = at(square, i) / (1 - beta2 ** count);
    return x - (rate * m) / (Math.sqrt(v) + epsilon);
  });
  return { point: moved, state: { count, mean, square } };
}

const at = (values: Float64Array, i: number): number => values[i] ?? 0;
