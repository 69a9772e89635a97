/** Whether a store can write, as whoever depends on it may watch. */

export class StoreHealth {
  #reason: string | undefined;
  readonly #listeners = new Set<() => void>();

  get writable(): boolean {
    return this.#reason === undefined;
  }

  /** Why it cannot write; undefined when it can. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** For the store itself: `reason` why it cannot write, undefined when it can. */
  set(reason: string | undefined): void {
    if (this.#reason === reason) return;
    this.#reason = reason;
    for (const listener of [...this.#listeners]) listener();
  }

  /** Calls `listener` after each change; returns how to stop that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when the store can write, or when the signal is aborted. */
  whenWritable(signal: AbortSignal): Promise<void> {
    if (this.writable || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        if (!this.writable && !signal.aborted) return;
        stop();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const stop = this.onChange(done);
      signal.addEventListener('abort', done);
    });
  }
}
