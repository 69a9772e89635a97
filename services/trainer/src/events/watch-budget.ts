/** What all watchers together may hold of the server's memory. */

import { BusyError, InterruptedError } from '../resource/errors.ts';
import { Places } from '../resource/places.ts';

export interface WatchLimits {
  /** Watchers at a time. */
  readonly maxWatchers: number;
  /** Bytes that wait for all of them to read. */
  readonly maxBytes: number;
  /** Bytes that may wait for one of them before the next event is read; kept free for each. */
  readonly bytesEach: number;
}

/** Milliseconds that an event waits for room, and after which to come again. */
const PATIENCE_MS = 10_000;
const RETRY_MS = 5_000;

/**
 * Every watcher has room for small events from the start. An event that is larger needs room of its own until it has been
 * taken; the largest one always finds some when no other large one waits.
 */
export class WatchBudget {
  readonly #limits: WatchLimits;
  readonly #waiting = new Set<() => void>();
  readonly #watchers: Places;
  /** Bytes of large events that have not been taken. */
  #large = 0;

  constructor(limits: WatchLimits) {
    this.#limits = limits;
    this.#watchers = new Places({
      max: limits.maxWatchers,
      what: 'watchers are connected',
      reason: 'WATCHERS',
      retryAfterMs: RETRY_MS,
    });
  }

  /** Bytes that are spoken for. */
  get held(): number {
    return this.#watchers.taken * this.#limits.bytesEach + this.#large;
  }

  /**
   * A place for one more watcher, until it is disposed of.
   * @throws BusyError when there is none, of all or of this owner's.
   */
  enter(owner: string): Disposable {
    const { maxBytes } = this.#limits;
    const place = this.#watchers.take(owner);
    const { taken } = this.#watchers;
    if (taken > 1 && this.held > maxBytes) {
      place[Symbol.dispose]();
      const message = `${taken - 1} watchers hold the ${maxBytes} bytes that this server allows them in all`;
      throw new BusyError('WATCH_BYTES', message, RETRY_MS);
    }
    return this.#once(() => place[Symbol.dispose]());
  }

  /**
   * Room for an event until it has been taken. Waits for it, unless the signal is aborted.
   * @throws InterruptedError when others do not read theirs for long.
   */
  async hold(bytes: number, gone: AbortSignal): Promise<Disposable> {
    const { maxBytes, bytesEach } = this.#limits;
    if (bytes <= bytesEach) return this.#once(() => {});
    let deadline: AbortSignal | undefined;
    while (this.#large > 0 && this.held + bytes > maxBytes && !gone.aborted) {
      deadline ??= AbortSignal.timeout(PATIENCE_MS);
      if (deadline.aborted) {
        const message = `watchers that do not read hold the ${maxBytes} bytes that this server allows them in all`;
        throw new InterruptedError('WATCH_BYTES', message, RETRY_MS);
      }
      await this.#room(AbortSignal.any([gone, deadline]));
    }
    this.#large += bytes;
    return this.#once(() => {
      this.#large -= bytes;
    });
  }

  /** Resolves when somebody has given room back, or the signal is aborted. */
  #room(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
      if (signal.aborted) wake();
    });
  }

  #once(release: () => void): Disposable {
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        release();
        for (const wake of [...this.#waiting]) wake();
      },
    };
  }
}
