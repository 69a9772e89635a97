/** Every call has a request id: the caller's `x-request-id` where it is short and printable, else a new one. */

import { type Metadata, ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import { newId } from '../../resource/ids.ts';

const HEADER = 'x-request-id';

/** Handlers and the interceptors after this one find the id with {@link requestIdOf}. */
export const requestIds: ServerInterceptor = (_method, call) =>
  new ServerInterceptingCall(call, {
    start: (next) =>
      next({
        onReceiveMetadata: (metadata, proceed) => {
          metadata.set(HEADER, requestIdOf(metadata));
          proceed(metadata);
        },
      }),
  });

/** The id of the call with this metadata. */
export function requestIdOf(metadata: Metadata): string {
  const [given] = metadata.get(HEADER);
  return typeof given === 'string' && /^[\x21-\x7e]{1,128}$/.test(given) ? given : newId();
}
