/** Each call of the service has a span, below the caller's where its metadata has a W3C `traceparent`. */

import { type Metadata, ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';
import { beginCall, type CallSpan, traceContextIn } from '../../tracing/grpc.ts';
import type { Span, Tracing } from '../../tracing/tracing.ts';

/** The metadata of a call is the one thing that interceptors and methods are both given. */
const spans = new WeakMap<Metadata, Span>();

/** Of the call with this metadata; undefined where there are none. */
export const spanOf = (metadata: Metadata): Span | undefined => spans.get(metadata);

/** @param methods paths of those that have spans: names of spans are never made up by callers. */
export function traceCalls(tracing: Tracing, methods: ReadonlySet<string>): ServerInterceptor {
  return ({ path }, call) => {
    if (!methods.has(path)) return new ServerInterceptingCall(call);
    let traced: CallSpan | undefined;
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, proceed) => {
            traced = beginCall(tracing, path, { kind: 'server', parent: traceContextIn(metadata) });
            spans.set(metadata, traced.span);
            proceed(metadata);
          },
          onCancel: () => traced?.end(status.CANCELLED),
        }),
      sendStatus: (sent, proceed) => {
        traced?.end(sent.code ?? status.UNKNOWN);
        proceed(sent);
      },
    });
  };
}
