/**
 * Notices between the parts of this process, and to and from the other processes of a fleet. A notice only wakes: it may come
 * late or twice, and whoever must not miss what it tells of also asks the store now and then.
 */

import type { Notice } from './notice.ts';

/** Where a notice was published. */
export type Origin = 'here' | 'elsewhere';

/** Must not throw. */
export type Listener = (notice: Notice, origin: Origin) => void;

export interface Notices {
  /** Whether other processes share the store, so that something may happen there that nobody here has done. */
  readonly shared: boolean;
  /**
   * Tells everybody. Who listens here has heard of it when this returns; others will soon. What it tells of is in the store
   * already. Never waits and never throws.
   */
  publish(notice: Notice): void;
  /** Returns how to stop listening. */
  subscribe(listener: Listener): () => void;
  /** Tells others what they have not been told yet, and nobody anything after that. */
  close(): Promise<void>;
}

/** Who listens in this process. */
export class Listeners {
  readonly #listeners = new Set<Listener>();

  add(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(notice: Notice, origin: Origin): void {
    for (const listener of [...this.#listeners]) listener(notice, origin);
  }
}

/** Of a process that has its store for itself. */
export class LocalNotices implements Notices {
  readonly shared = false;
  readonly #listeners = new Listeners();

  publish(notice: Notice): void {
    this.#listeners.tell(notice, 'here');
  }

  subscribe(listener: Listener): () => void {
    return this.#listeners.add(listener);
  }

  async close(): Promise<void> {}
}
