/** Places that callers take for a while: so many at a time, and no more than half of them for one owner. */

import { BusyError } from './errors.ts';

export interface PlacesOptions {
  /** At a time. */
  readonly max: number;
  /** What is said of those who have one, after their number: `uploads are going on`. */
  readonly what: string;
  /** Of the error, for programs; with `OWNER_` before it where an owner has too many. */
  readonly reason: string;
  /** When to come again. */
  readonly retryAfterMs: number;
}

export class Places {
  readonly #options: PlacesOptions;
  readonly #owned = new Map<string, number>();
  #taken = 0;

  constructor(options: PlacesOptions) {
    this.#options = options;
  }

  /** How many are taken. */
  get taken(): number {
    return this.#taken;
  }

  /**
   * A place until it is disposed of.
   * @param owner who takes it; empty where nobody is asked who they are, and has no share then.
   * @throws BusyError when there is none, or the owner has as many as one may have.
   */
  take(owner: string): Disposable {
    const { max, what, reason, retryAfterMs } = this.#options;
    if (this.#taken >= max) {
      throw new BusyError(reason, `${max} ${what}, as many as this server allows`, retryAfterMs);
    }
    const share = Math.ceil(max / 2);
    const own = this.#owned.get(owner) ?? 0;
    if (owner !== '' && own >= share) {
      const message = `${share} ${what} for ${owner}, as many as this server allows one owner`;
      throw new BusyError(`OWNER_${reason}`, message, retryAfterMs);
    }
    this.#taken += 1;
    this.#owned.set(owner, own + 1);
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#taken -= 1;
        const left = (this.#owned.get(owner) ?? 0) - 1;
        if (left === 0) this.#owned.delete(owner);
        else this.#owned.set(owner, left);
      },
    };
  }
}
