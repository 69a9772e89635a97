/**
 * Remembers that a service is away, so that not everyone waits for it anew: after a failure it is left alone for a pause,
 * then one call may try, and the pause grows with each that fails.
 */

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/** `closed`: it answers, as far as is known. `open`: it is left alone. `halfOpen`: one call may try. */
export type CircuitState = 'closed' | 'open' | 'halfOpen';

export class CircuitBreaker {
  readonly #now: () => number;
  /** Undefined while it answers. */
  #pause: { readonly ms: number; readonly until: number } | undefined;

  /** @param now a clock in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  get state(): CircuitState {
    if (this.#pause === undefined) return 'closed';
    return this.#now() < this.#pause.until ? 'open' : 'halfOpen';
  }

  /** It answered. */
  succeeded(): void {
    this.#pause = undefined;
  }

  /** It did not. */
  failed(): void {
    const ms = this.#pause === undefined ? FIRST_PAUSE_MS : Math.min(this.#pause.ms * 2, LONGEST_PAUSE_MS);
    this.#pause = { ms, until: this.#now() + ms };
  }
}
