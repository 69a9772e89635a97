/** A client that sends nothing for long is not waited for where it keeps others out. */

import { status } from '@grpc/grpc-js';
import { unlessAborted } from '../resource/abort.ts';
import { ApiError } from './errors.ts';

/**
 * The same requests.
 * @param seconds that the next one may be waited for.
 * @param what it belongs to, for the message: `the upload`.
 * @throws ApiError DEADLINE_EXCEEDED when it does not come.
 */
export async function* unlessIdle<Request>(
  requests: AsyncIterable<Request>,
  seconds: number,
  what: string,
): AsyncGenerator<Request> {
  const incoming = requests[Symbol.asyncIterator]();
  for (;;) {
    const idle = new AbortController();
    const timer = setTimeout(() => {
      const message = `nothing came of ${what} for ${seconds} s, as long as this server waits; begin again`;
      idle.abort(new ApiError(status.DEADLINE_EXCEEDED, 'IDLE', message));
    }, seconds * 1_000);
    const next = unlessAborted(incoming.next(), idle.signal).finally(() => clearTimeout(timer));
    const { value, done } = await next;
    if (done) return;
    yield value;
  }
}
