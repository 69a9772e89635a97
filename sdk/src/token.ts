/** The token by which a server knows its callers: a secret, which no message repeats. */

import { GlocalError } from './error.ts';
import type { ClientOptions } from './options.ts';

/** What can travel in the metadata of a call. */
export const isToken = (value: unknown): value is string =>
  typeof value === 'string' && /^[\x21-\x7e]+$/.test(value);

/** What a token must be, in words that follow "must be". */
export const TOKEN_FORM = 'visible ASCII characters without spaces, or a function that returns them';

/**
 * The metadata `authorization` of a call; undefined without a token.
 * @throws GlocalError INVALID_ARGUMENT, reason TOKEN, for a function that returns something else.
 */
export function authorization(token: ClientOptions['token']): string | undefined {
  if (token === undefined) return undefined;
  const given: unknown = typeof token === 'function' ? token() : token;
  if (isToken(given)) return `Bearer ${given}`;
  throw GlocalError.invalid('TOKEN', [{ field: 'token', description: `must be ${TOKEN_FORM}` }]);
}
