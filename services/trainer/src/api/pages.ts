/** Pages of lists (AIP-158). */

import { createHash } from 'node:crypto';
import { FieldError } from '../resource/errors.ts';

const DEFAULT_PAGE = 50;
const MAX_PAGE = 1_000;
/** Below the 4 MiB that a client receives by default, with room for the largest single record to be cut off. */
export const MAX_PAGE_BYTES = 3 * 1024 * 1024;

/** @throws FieldError for a negative size. */
export function pageSize(requested: number, { usual = DEFAULT_PAGE, most = MAX_PAGE } = {}): number {
  if (requested < 0) {
    throw FieldError.of('PAGE_SIZE', 'page_size', `${requested} is negative`);
  }
  return Math.min(requested || usual, most);
}

/** Characters of a token's key that say which list it is of. */
const LIST = 12;

/**
 * The tokens of one list: opaque, for the position after a key. With one of another list, as that of another parent, of other
 * filters or for another owner, a list would begin anywhere.
 */
export class PageTokens {
  readonly #list: string;

  /** @param list the method, and all that the list depends on but the size of the page. */
  constructor(...list: readonly unknown[]) {
    this.#list = createHash('sha256').update(JSON.stringify(list)).digest('base64url').slice(0, LIST);
  }

  /** The token for the position after `key`; empty without one: there is no next page. */
  make(key: string | number | undefined): string {
    return key === undefined ? '' : Buffer.from(`${this.#list}${key}`).toString('base64url');
  }

  /**
   * The key that {@link make} was given; undefined for the first page.
   * @throws FieldError for a token that it has not made.
   */
  parse(token: string): string | undefined {
    if (token === '') return undefined;
    const text = Buffer.from(token, 'base64url').toString();
    const key = text.slice(LIST);
    if (this.make(key) !== token) throw wrongPageToken();
    return key;
  }

  /**
   * A key that is a number, as an index or a count; 0 for the first page.
   * @throws FieldError for a token of something else.
   */
  parseNumber(token: string): number {
    const key = this.parse(token) ?? '0';
    if (!/^\d{1,9}$/.test(key)) throw wrongPageToken();
    return Number(key);
  }
}

/** The token is not one that was given for this list. */
export const wrongPageToken = (): FieldError =>
  FieldError.of('PAGE_TOKEN', 'page_token', 'was not given out for this list');
