/** What a request says, which is an object of JSON. */

import { InvalidArgumentError } from '@glocal/sdk';
import type { Context } from 'hono';

/** @throws SyntaxError where it is no JSON; InvalidArgumentError where it is null, a number, a text */
export async function bodyOf<T extends object>(c: Context): Promise<T> {
  const body: unknown = await c.req.json();
  if (typeof body === 'object' && body !== null) return body as T;
  throw new InvalidArgumentError('the request is no object', { reason: 'REQUEST' });
}
