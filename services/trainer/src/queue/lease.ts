/** A worker's lease of what it has claimed, as the worker sees it: by a clock that nobody sets, from before it asked. */

/** Asked for so often while it lasts: a connection that never answers costs one of them, since the next does not wait for it. */
const RENEWALS = 3;

export interface LeaseUse {
  /** Asks for so much more. When it fails, the lease is as it was. */
  readonly renew: (leaseMs: number) => Promise<void>;
  /** It has ended: others may have what was claimed. */
  readonly passed: () => void;
}

export class Lease {
  readonly #leaseMs: number;
  readonly #use: LeaseUse;
  /** Undefined while nothing is claimed. */
  #renewals: NodeJS.Timeout | undefined;
  #end: NodeJS.Timeout | undefined;
  /** When that was asked for which has been granted, by `performance.now()`. */
  #since = Number.NEGATIVE_INFINITY;

  constructor(leaseMs: number, use: LeaseUse) {
    this.#leaseMs = leaseMs;
    this.#use = use;
  }

  /** Something has been claimed. @param since of `performance.now()`, before it was asked for. */
  begin(since: number): void {
    this.#extend(since);
    this.#renewals ??= setInterval(() => void this.#renew(), this.#leaseMs / RENEWALS);
  }

  /** Nothing is claimed any more. */
  end(): void {
    clearInterval(this.#renewals);
    clearTimeout(this.#end);
    this.#renewals = undefined;
  }

  async #renew(): Promise<void> {
    const since = performance.now();
    try {
      await this.#use.renew(this.#leaseMs);
    } catch {
      // Another renewal may succeed before the lease has passed.
      return;
    }
    if (this.#renewals !== undefined) this.#extend(since);
  }

  /** Answers may overtake one another: what was asked for last is what holds. */
  #extend(since: number): void {
    if (since < this.#since) return;
    this.#since = since;
    clearTimeout(this.#end);
    this.#end = setTimeout(() => this.#use.passed(), since + this.#leaseMs - performance.now());
  }
}
