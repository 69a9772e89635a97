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
  const [meanShare, squareShare] = [1 - beta1 ** count, 1 - beta2 ** count];
  const [mean, square, moved] = [state.mean.slice(), state.square.slice(), point.slice()];
  for (let i = 0; i < moved.length; i++) {
    const g = gradient[i] as number;
    const m = beta1 * (mean[i] as number) + (1 - beta1) * g;
    const v = beta2 * (square[i] as number) + (1 - beta2) * g ** 2;
    mean[i] = m;
    square[i] = v;
    moved[i] = (moved[i] as number) - (rate * (m / meanShare)) / (Math.sqrt(v / squareShare) + epsilon);
  }
  return { point: moved, state: { count, mean, square } };
}
