/** How long a stream has been without a connection, and how long to wait before the next attempt. */

const FIRST_PAUSE = 200;
const LONGEST_PAUSE = 5_000;
/** Milliseconds after which a connection counts as made, even when nothing has come over it. */
const STANDS_AFTER = 10_000;

/**
 * Time without a connection, added up until the stream gets on: a connection that is made and breaks again before anything
 * came of it does not start the count anew, or a server that always breaks it at the same place would be asked for ever.
 */
export class Outage {
  /** Failures since the stream last got on. */
  failures = 0;
  #before = 0;
  #lostAt: number | undefined;
  #openedAt: number | undefined;

  /** Milliseconds without a connection since the stream last got on. */
  get duration(): number {
    return this.#before + (this.#lostAt === undefined ? 0 : performance.now() - this.#lostAt);
  }

  /** Milliseconds before the next attempt: doubling, between half of it and all of it, so that clients do not come in step. */
  get pause(): number {
    return Math.min(FIRST_PAUSE * 2 ** (this.failures - 1), LONGEST_PAUSE) * (0.5 + Math.random() / 2);
  }

  /** The server answers. */
  opened(): void {
    this.#before = this.duration;
    this.#lostAt = undefined;
    this.#openedAt = performance.now();
  }

  /** Something came that moved the stream on. */
  over(): void {
    this.failures = 0;
    this.#before = 0;
  }

  /** The connection is lost, or was not found. */
  lost(): void {
    const now = performance.now();
    if (this.#openedAt !== undefined && now - this.#openedAt >= STANDS_AFTER) this.over();
    this.#openedAt = undefined;
    this.#lostAt ??= now;
    this.failures += 1;
  }
}
