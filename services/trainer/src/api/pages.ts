/** Pages of lists (AIP-158). */

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

/** An opaque token for the position after `key`. */
export const pageToken = (key: string | undefined): string => Buffer.from(key ?? '').toString('base64url');

/**
 * The key that {@link pageToken} was given; undefined for the first page.
 * @throws FieldError for a token that it has not made.
 */
export function parsePageToken(token: string): string | undefined {
  if (token === '') return undefined;
  const key = Buffer.from(token, 'base64url').toString();
  if (pageToken(key) !== token) throw wrongPageToken();
  return key;
}

/**
 * A key that is a number, as an index or a count; 0 for the first page.
 * @throws FieldError for a token of something else.
 */
export function parseNumberToken(token: string): number {
  const key = parsePageToken(token) ?? '0';
  if (!/^\d{1,9}$/.test(key)) throw wrongPageToken();
  return Number(key);
}

/** The token is not one that this method gave. */
export const wrongPageToken = (): FieldError =>
  FieldError.of('PAGE_TOKEN', 'page_token', 'was not given out by this method');
