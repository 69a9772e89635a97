/** Moves the hyperparameters, and can take its last move back (docs/method.md, section 7). */

import { type AdamOptions, type AdamState, adamUpdate, initialAdam } from './adam.ts';

/** A move that may be taken back. */
export interface OuterMove {
  /** Where it started. */
  readonly point: Float64Array;
  readonly adam: AdamState;
  readonly gradient: Float64Array;
  /** Of the rate, which it was made with (`outer-schedule.ts`). */
  readonly rateShare: number;
  /** Whether it has been made again at half the rate. */
  readonly retried: boolean;
}

/** All that another optimizer needs to go on as this one would; plain data, never changed. */
export interface OuterOptimizerState {
  readonly point: Float64Array;
  readonly adam: AdamState;
  /** Before the schedule takes a share of it. */
  readonly rate: number;
  readonly last: OuterMove | undefined;
  readonly clipped: readonly number[];
}

/** Where it moves. */
export interface OuterSpace {
  /** Brings a point back between the bounds; applied to each new point. */
  clip(point: Float64Array): Float64Array;
  /** What each component makes of a step of Adam's, one entry a component; all of it where it is undefined. */
  readonly stepShares?: Float64Array | undefined;
}

export class OuterOptimizer {
  #point: Float64Array;
  #adam: AdamState;
  #options: AdamOptions;
  #last: OuterMove | undefined;
  #clipped: readonly number[] = [];
  readonly #space: OuterSpace;

  /** @param start phi, one entry a learned hyperparameter. */
  constructor(start: Float64Array, options: AdamOptions, space: OuterSpace) {
    this.#point = start;
    this.#adam = initialAdam(start.length);
    this.#options = options;
    this.#space = space;
  }

  /** One that goes on from a state; options as at first, for the rate is part of the state. */
  static restore(
    { point, adam, rate, last, clipped }: OuterOptimizerState,
    options: AdamOptions,
    space: OuterSpace,
  ): OuterOptimizer {
    const optimizer = new OuterOptimizer(point, { ...options, rate }, space);
    optimizer.#adam = adam;
    optimizer.#last = last;
    optimizer.#clipped = clipped;
    return optimizer;
  }

  get state(): OuterOptimizerState {
    return {
      point: this.#point,
      adam: this.#adam,
      rate: this.rate,
      last: this.#last,
      clipped: this.#clipped,
    };
  }

  /** Another one, which goes on from here. */
  copy(): OuterOptimizer {
    return OuterOptimizer.restore(this.state, this.#options, this.#space);
  }

  /** Whether {@link retry} has a move to make again. */
  get canRetry(): boolean {
    return this.#last !== undefined && !this.#last.retried;
  }

  get point(): Float64Array {
    return this.#point;
  }

  /** Before the schedule takes a share of it. */
  get rate(): number {
    return this.#options.rate;
  }

  /** Components that the last move would have taken out of the bounds. */
  get clipped(): readonly number[] {
    return this.#clipped;
  }

  /** The share of the rate that the last move was made with; 1 when there is none that could be taken back. */
  get lastShare(): number {
    return this.#last?.rateShare ?? 1;
  }

  /**
   * One step down the gradient; every entry must be finite.
   * @param rateShare of the rate, above 0.
   */
  move(gradient: Float64Array, rateShare = 1): void {
    this.#last = { point: this.#point, adam: this.#adam, gradient, rateShare, retried: false };
    this.#step(gradient, rateShare);
  }

  /**
   * A step down the gradient of some components, for good. The others stay, and so do their moments; the count of updates, by which Adam
   * corrects them, is one for all.
   * @param moves whether component k is one of them.
   */
  moveOnly(moves: (k: number) => boolean, gradient: Float64Array, rateShare = 1): void {
    const [from, { mean, square }] = [this.#point, this.#adam];
    const keep = (to: Float64Array, kept: Float64Array) =>
      to.map((value, k) => (moves(k) ? value : (kept[k] as number)));
    this.#step(gradient, rateShare);
    this.#adam = {
      ...this.#adam,
      mean: keep(this.#adam.mean, mean),
      square: keep(this.#adam.square, square),
    };
    this.#point = keep(this.#point, from);
    this.#clipped = this.#clipped.filter(moves);
    this.#last = undefined;
  }

  /** Leaves the point where it is, for good: the last move can no longer be taken back. */
  hold(): void {
    this.#last = undefined;
    this.#clipped = [];
  }

  /**
   * Another rate from here on.
   * @param rateShare of an update that is made with this rate as it is.
   */
  setRate(rate: number, rateShare = 1): void {
    this.#options = { ...this.#options, rate: rate / rateShare };
  }

  /** Goes to a point for good, whatever the gradient says; Adam's moments stay as they are. */
  moveTo(point: Float64Array): void {
    this.hold();
    this.#point = this.#space.clip(point);
  }

  /**
   * Takes the last move back and makes it again at a smaller rate, which holds from here on.
   * @param rate of this move; half of what it was made with unless the caller knows better.
   * @returns false, with nothing changed, when there is no move to take back or it has been made again already.
   */
  retry(rate = (this.rate * this.lastShare) / 2): boolean {
    if (this.#last === undefined || this.#last.retried) return false;
    const { point, adam, gradient, rateShare } = this.#last;
    this.#last = { ...this.#last, retried: true };
    this.#point = point;
    this.#adam = adam;
    this.setRate(rate, rateShare);
    this.#step(gradient, rateShare);
    return true;
  }

  #step(gradient: Float64Array, rateShare: number): void {
    const options = { ...this.#options, rate: this.rate * rateShare };
    const { point, state } = adamUpdate(this.#point, gradient, this.#adam, options);
    const { stepShares } = this.#space;
    if (stepShares !== undefined) shorten(point, this.#point, stepShares);
    this.#point = this.#space.clip(point);
    this.#clipped = whereDifferent(point, this.#point);
    this.#adam = state;
  }
}

function shorten(point: Float64Array, from: Float64Array, shares: Float64Array): void {
  for (let k = 0; k < point.length; k++) {
    const start = from[k] as number;
    point[k] = start + (shares[k] as number) * ((point[k] as number) - start);
  }
}

function whereDifferent(one: Float64Array, other: Float64Array): number[] {
  const different: number[] = [];
  for (let k = 0; k < one.length; k++) if (one[k] !== other[k]) different.push(k);
  return different;
}
