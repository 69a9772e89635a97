/**
 * A span for each call, by OpenTelemetry's semantic conventions, where the program has `@opentelemetry/api`. The metadata of
 * the call carries it, so that the server's spans are below it. Without an SDK of OpenTelemetry behind the API nothing is recorded.
 */

import type { Metadata } from '@grpc/grpc-js';
import type * as Otel from '@opentelemetry/api';
import { VERSION } from './version.ts';

/** The span of one call. */
export interface CallSpan {
  /** Only the first end counts. @param failed whether that was not what the caller wanted */
  end(code: string, failed: boolean): void;
}

let loading: Promise<typeof Otel | undefined> | undefined;

/** Looked for once, when the first call is made; undefined where the program does without. */
export function openTelemetry(): Promise<typeof Otel | undefined> {
  loading ??= import('@opentelemetry/api').catch(() => undefined);
  return loading;
}

/**
 * Begins a span below the active one, and writes it into the metadata.
 * @param path of the method, as `/glocal.v1.StudyService/GetStudy`
 */
export function beginSpan(
  { context, propagation, SpanKind, SpanStatusCode, trace }: typeof Otel,
  path: string,
  address: string,
  metadata: Metadata,
): CallSpan {
  const method = path.slice(1);
  const attributes = { 'rpc.system.name': 'grpc', 'rpc.method': method, ...serverAttributes(address) };
  const parent = context.active();
  const span = trace
    .getTracer('@glocal/sdk', VERSION)
    .startSpan(method, { kind: SpanKind.CLIENT, attributes }, parent);
  propagation.inject(trace.setSpan(parent, span), metadata, {
    set: (carrier, key, value) => carrier.set(key, value),
  });
  let ended = false;
  return {
    end: (code, failed) => {
      if (ended) return;
      ended = true;
      span.setAttribute('rpc.response.status_code', code);
      if (failed) {
        span.setAttribute('error.type', code);
        span.setStatus({ code: SpanStatusCode.ERROR });
      }
      span.end();
    },
  };
}

function serverAttributes(address: string): Otel.Attributes {
  const [, host, port] = address.match(/^(?:dns:(?:\/\/[^/]*\/)?)?\[?([^\]]+)\]?:(\d+)$/) ?? [];
  return host === undefined
    ? { 'server.address': address.replace(/^unix:/, '') }
    : { 'server.address': host, 'server.port': Number(port) };
}
