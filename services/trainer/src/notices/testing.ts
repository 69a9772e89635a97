/** For tests: processes that share a store, without processes. */

import type { Notice } from './notice.ts';
import { type Listener, Listeners, type Notices } from './notices.ts';

/** What one process publishes the others hear, unless it is cut off. */
export class JoinedNotices implements Notices {
  readonly shared = true;
  readonly #here = new Listeners();
  readonly #all: Set<JoinedNotices>;
  /** Whether nothing comes here or goes from here: what is told meanwhile is lost. */
  cutOff = false;

  private constructor(all: Set<JoinedNotices>) {
    this.#all = all;
    all.add(this);
  }

  /** The notices of two processes. */
  static pair(): [JoinedNotices, JoinedNotices] {
    const all = new Set<JoinedNotices>();
    return [new JoinedNotices(all), new JoinedNotices(all)];
  }

  publish(notice: Notice): void {
    this.#here.tell(notice, 'here');
    if (this.cutOff) return;
    for (const other of this.#all) {
      if (other !== this && !other.cutOff) other.#here.tell(notice, 'elsewhere');
    }
  }

  subscribe(listener: Listener): () => void {
    return this.#here.add(listener);
  }

  async close(): Promise<void> {
    this.#all.delete(this);
  }
}
