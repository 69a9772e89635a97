/**
 * Creations of studies, of which one server has one transaction at a time: the limits of studies are exact by a lock up to
 * the commit, so that creations would wait for the disk one after the other. Those that wait share a transaction.
 */

/** What a creation came to. */
export type Outcome = { readonly value: unknown } | { readonly error: unknown };

interface Waiting<Request> {
  readonly request: Request;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Creations of one transaction, so that others do not wait long for it. */
const MAX_TOGETHER = 32;

export class Creations<Request> {
  readonly #make: (requests: readonly Request[]) => Promise<readonly Outcome[]>;
  readonly #waiting: Waiting<Request>[] = [];
  #making = false;

  /** @param make makes what was requested in one transaction, and tells what each came to; it does not reject. */
  constructor(make: (requests: readonly Request[]) => Promise<readonly Outcome[]>) {
    this.#make = make;
  }

  add(request: Request): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject });
      if (!this.#making) void this.#makeAll();
    });
  }

  async #makeAll(): Promise<void> {
    this.#making = true;
    // What comes in the same turn of the event loop comes along.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_TOGETHER);
      const outcomes = await this.#make(batch.map(({ request }) => request));
      for (const [i, { resolve, reject }] of batch.entries()) {
        const outcome = outcomes[i] as Outcome;
        if ('error' in outcome) reject(outcome.error);
        else resolve(outcome.value);
      }
    }
    this.#making = false;
  }
}
