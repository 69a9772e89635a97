/** Whoever looks at the pages, by token: each has a client of its own, and sees what that may see. */

import { createHash } from 'node:crypto';
import { type ClientOptions, GlocalClient, GlocalError } from '@glocal/sdk';
import { Caller } from './caller.ts';

/** So many tokens are known at a time; the one that was used longest ago goes first. */
const MOST_CALLERS = 64;
/** For so many milliseconds a token that the trainer has taken is not shown to it again. */
const BELIEVED = 10_000;

/** A page says within seconds that there is no trainer, and asks again itself. */
const RETRY: ClientOptions['retry'] = { maxAttempts: 5 };

/** The callers of a dashboard. */
export class Callers implements AsyncDisposable {
  readonly #options: ClientOptions;
  readonly #callers = new Map<string, Caller>();
  readonly #log: (line: string) => void;

  constructor(options: ClientOptions, log: (line: string) => void) {
    this.#options = { retry: RETRY, ...options };
    this.#log = log;
  }

  /** Who calls with the token of the options, or none. */
  own(): Caller {
    return this.#caller('', () => new GlocalClient(this.#options));
  }

  /**
   * Who calls with this token, which the trainer has taken in the last seconds.
   * @throws GlocalError UNAUTHENTICATED; FAILED_PRECONDITION, reason NO_TOKENS, where the trainer does not ask for one
   */
  async of(token: string): Promise<Caller> {
    const key = createHash('sha256').update(token).digest('hex');
    const caller = this.#caller(key, () => new GlocalClient({ ...this.#options, token }));
    if (Date.now() - caller.provenAt < BELIEVED) return caller;
    try {
      const { caller: known } = await caller.client.serverInfo();
      if (known === undefined) throw noTokens();
      caller.provenAt = Date.now();
      return caller;
    } catch (error) {
      const refused =
        error instanceof GlocalError && ['UNAUTHENTICATED', 'FAILED_PRECONDITION'].includes(error.code);
      if (refused) await this.#forget(key);
      throw error;
    }
  }

  #caller(key: string, connect: () => GlocalClient): Caller {
    const known = this.#callers.get(key);
    if (known !== undefined) {
      // The last one used is the last one of the map.
      this.#callers.delete(key);
      this.#callers.set(key, known);
      return known;
    }
    const caller = new Caller(connect(), this.#log);
    this.#callers.set(key, caller);
    const [oldest] = this.#callers.keys();
    if (this.#callers.size > MOST_CALLERS && oldest !== undefined) void this.#forget(oldest);
    return caller;
  }

  async #forget(key: string): Promise<void> {
    const caller = this.#callers.get(key);
    this.#callers.delete(key);
    await caller?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#callers.keys()].map((key) => this.#forget(key)));
  }
}

const noTokens = (): GlocalError =>
  new GlocalError(
    'FAILED_PRECONDITION',
    'the trainer does not ask who calls, so that nobody is let in here: start it with tokens (docs/security.md), or the dashboard on loopback',
    { reason: 'NO_TOKENS' },
  );
