/** Streams of services that others have written, as a watch of the health, end when the server stops. */

import { ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import { StoppingError } from '../../resource/errors.ts';
import { ApiError, toServiceError } from '../errors.ts';
import { requestIdOf } from './request-id.ts';

/**
 * @param stopping aborted when the server begins to stop.
 * @param endsItself of the path of a method: whether its handler ends its streams.
 */
export function endWhenStopping(
  stopping: AbortSignal,
  endsItself: (path: string) => boolean,
): ServerInterceptor {
  return ({ path, responseStream }, call) => {
    if (!responseStream || endsItself(path)) return new ServerInterceptingCall(call);
    let leave = () => {};
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, proceed) => {
            const error = ApiError.from(new StoppingError()) as ApiError;
            const end = () => call.sendStatus(toServiceError(error, requestIdOf(metadata)));
            leave = () => stopping.removeEventListener('abort', end);
            if (stopping.aborted) end();
            else stopping.addEventListener('abort', end, { once: true });
            proceed(metadata);
          },
          onCancel: () => leave(),
        }),
      sendStatus: (status, proceed) => {
        leave();
        proceed(status);
      },
    });
  };
}
