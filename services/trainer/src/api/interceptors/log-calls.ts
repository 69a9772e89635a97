/** Each call is a line of the debug log when it has ended. */

import { ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { requestIdOf } from './request-id.ts';
import { spanOf } from './trace-calls.ts';

/** Comes after `requestIds`, and after `traceCalls` where there are spans. */
export function logCalls(log: Logger): ServerInterceptor {
  return ({ path: method }, call) => {
    const started = performance.now();
    let requestId: string | undefined;
    let traceId: string | undefined;
    let ended = false;
    const end = (code: string, details: string) => {
      if (ended) return;
      ended = true;
      const milliseconds = Math.round(performance.now() - started);
      log.debug({ requestId, traceId, method, peer: call.getPeer(), code, milliseconds }, details);
    };
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, proceed) => {
            requestId = requestIdOf(metadata);
            traceId = spanOf(metadata)?.traceId;
            proceed(metadata);
          },
          onCancel: () => end('CANCELLED', 'the caller has gone'),
        }),
      sendStatus: (sent, proceed) => {
        end(status[sent.code ?? status.UNKNOWN], sent.details ?? '');
        proceed(sent);
      },
    });
  };
}
