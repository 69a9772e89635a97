/** Spans of gRPC calls, by OpenTelemetry's semantic conventions for them. */

import { type Metadata, status } from '@grpc/grpc-js';
import type { Span, SpanStart, TraceContext, Tracing } from './tracing.ts';

/** Codes that say that the server failed. For a client every code but OK is a failure. */
const SERVER_FAULTS: ReadonlySet<status> = new Set([
  ...[status.UNKNOWN, status.DEADLINE_EXCEEDED, status.UNIMPLEMENTED],
  ...[status.INTERNAL, status.UNAVAILABLE, status.DATA_LOSS],
]);

/** A call that goes on. */
export interface CallSpan {
  readonly span: Span;
  /** Only the first end counts. */
  end(code: status): void;
}

/** @param path of the method, as `/glocal.v1.StudyService/GetStudy`. */
export function beginCall(
  tracing: Tracing,
  path: string,
  { kind, parent }: { readonly kind: 'server' | 'client' } & Pick<SpanStart, 'parent'>,
): CallSpan {
  const method = path.slice(1);
  const attributes = {
    'rpc.system.name': 'grpc',
    'rpc.service': method.slice(0, method.indexOf('/')),
    'rpc.method': method,
  };
  const span = tracing.begin(method, { kind, parent, attributes });
  let ended = false;
  return {
    span,
    end: (code) => {
      if (ended) return;
      ended = true;
      const name = status[code] ?? String(code);
      const failed = kind === 'server' ? SERVER_FAULTS.has(code) : code !== status.OK;
      span.set({ 'rpc.response.status_code': name, ...(failed && { 'error.type': name }) });
      span.end(failed ? '' : undefined);
    },
  };
}

/** What metadata says about the caller's span. */
export function traceContextIn(metadata: Metadata): TraceContext | undefined {
  const [traceparent] = metadata.get('traceparent');
  if (typeof traceparent !== 'string') return undefined;
  const tracestate = metadata.get('tracestate').join(',');
  return { traceparent, tracestate: tracestate === '' ? undefined : tracestate };
}

/** Tells whoever is called about the span above. */
export function setTraceContext(metadata: Metadata, { traceparent, tracestate }: TraceContext): void {
  metadata.set('traceparent', traceparent);
  if (tracestate === undefined) metadata.remove('tracestate');
  else metadata.set('tracestate', tracestate);
}
