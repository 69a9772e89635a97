/** Each call of the DMD service that belongs to a span has one of its own below, which the service is told of. */

import { InterceptingCall, type Interceptor } from '@grpc/grpc-js';
import { beginCall, setTraceContext, traceContextIn } from '../tracing/grpc.ts';
import type { Tracing } from '../tracing/tracing.ts';

/** What a call belongs to is in its metadata; calls that belong to nothing, as those for health, have no spans. */
export function callSpans(tracing: Tracing): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start(metadata, listener, next) {
        const parent = traceContextIn(metadata);
        if (parent === undefined) return next(metadata, listener);
        const { span, end } = beginCall(tracing, options.method_definition.path, { kind: 'client', parent });
        setTraceContext(metadata, span.context);
        next(metadata, {
          onReceiveStatus: (received, proceed) => {
            end(received.code);
            proceed(received);
          },
        });
      },
    });
}
