/** The token by which a server knows its callers: a secret, which no message repeats. */

import { type FieldViolation, GlocalError, UnavailableError } from './error.ts';
import type { Log } from './logger.ts';
import type { ClientOptions } from './options.ts';

/** A token, and until when a server takes it. */
export interface ExpiringToken {
  readonly token: string;
  readonly expiresAt: Date;
}

/** Gives the token to show now. One that says until when it is good is kept, and asked for anew shortly before. */
export type TokenSource = () => string | ExpiringToken | Promise<string | ExpiringToken>;

/** What can travel in the metadata of a call. */
export const isToken = (value: unknown): value is string =>
  typeof value === 'string' && /^[\x21-\x7e]+$/.test(value);

/** What a token must be, in words that follow "must be". */
export const TOKEN_FORM = 'visible ASCII characters without spaces, or a function that returns them';

/** A new token is asked for when this share of the old one's life is left, or this many milliseconds. */
const SHARE_LEFT = 0.1;
const MOST_LEFT = 60_000;

interface Kept {
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly renewAt: number;
  readonly expiresAt: number;
}

/** The token of a client, renewed where that is possible. */
export class TokenKeeper {
  readonly #given: ClientOptions['token'];
  readonly #log: Log;
  #kept: Kept | undefined;
  /** What calls that need one at the same time share. */
  #fetching: Promise<string> | undefined;

  constructor(given: ClientOptions['token'], log: Log) {
    this.#given = given;
    this.#log = log;
  }

  /** Whether another one can be had in place of one that was refused. */
  get renewable(): boolean {
    return typeof this.#given === 'function';
  }

  /**
   * The token to show now; a promise where it has to be asked for; undefined where there is none.
   * @throws GlocalError INVALID_ARGUMENT, reason TOKEN, for a function that returns something else; UNAVAILABLE, reason TOKEN,
   *   for one that fails.
   */
  current(): string | undefined | Promise<string> {
    if (typeof this.#given !== 'function') return this.#given;
    if (this.#kept !== undefined && Date.now() < this.#kept.renewAt) return this.#kept.token;
    this.#fetching ??= this.#fetch(this.#given).finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  /** The server has refused this one; others may have renewed it meanwhile. */
  refused(token: string | undefined): void {
    if (this.#kept?.token === token) this.#kept = undefined;
  }

  async #fetch(source: TokenSource): Promise<string> {
    const asked = Date.now();
    let given: unknown;
    try {
      given = await source();
    } catch (cause) {
      return this.#keepOn(cause);
    }
    const { token, expiresAt } = read(given);
    if (expiresAt === undefined) return token;
    const left = Math.min(MOST_LEFT, SHARE_LEFT * (expiresAt.getTime() - asked));
    this.#kept = { token, renewAt: expiresAt.getTime() - left, expiresAt: expiresAt.getTime() };
    this.#log('debug', 'a token was fetched', { expiresAt: expiresAt.toISOString() });
    return token;
  }

  /** As long as the old token is good, a source that fails is no reason to fail. */
  #keepOn(cause: unknown): string {
    if (this.#kept !== undefined && Date.now() < this.#kept.expiresAt) {
      const expiresAt = new Date(this.#kept.expiresAt).toISOString();
      this.#log('warn', 'no new token can be had: the old one is used until it expires', { expiresAt });
      return this.#kept.token;
    }
    if (cause instanceof GlocalError) throw cause;
    throw new UnavailableError('the function that gives the token failed', { reason: 'TOKEN', cause });
  }
}

/** @throws GlocalError INVALID_ARGUMENT, reason TOKEN */
function read(given: unknown): { readonly token: string; readonly expiresAt?: Date } {
  if (isToken(given)) return { token: given };
  const violations: FieldViolation[] = [];
  const { token, expiresAt } = (typeof given === 'object' ? (given ?? {}) : {}) as Partial<ExpiringToken>;
  if (!isToken(token)) violations.push({ field: 'token', description: `must be ${TOKEN_FORM}` });
  else if (!(expiresAt instanceof Date) || Number.isNaN(expiresAt.getTime()))
    violations.push({ field: 'token.expiresAt', description: 'is not a Date' });
  else return { token, expiresAt };
  throw GlocalError.invalid('TOKEN', violations);
}
