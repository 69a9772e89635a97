/** A worker's lease of what it has claimed, as the worker sees it: by a clock that nobody sets, from before it asked. */

/** Renewed so often while it lasts. */
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
  #renewing = false;

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
    if (this.#renewing) return;
    this.#renewing = true;
    const since = performance.now();
    try {
      await this.#use.renew(this.#leaseMs);
      if (this.#renewals !== undefined) this.#extend(since);
    } catch {
      // The next renewal may succeed before the lease has passed.
    } finally {
      this.#renewing = false;
    }
  }

  #extend(since: number): void {
    clearTimeout(this.#end);
    this.#end = setTimeout(() => this.#use.passed(), since + this.#leaseMs - performance.now());
  }
}
