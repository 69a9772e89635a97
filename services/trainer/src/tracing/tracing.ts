/** Spans for OpenTelemetry. Without settings there are none, and nothing of OpenTelemetry is loaded. */

import type { TracingSettings } from './variables.ts';

/** A W3C trace context as text: it travels in metadata and messages as it is. */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string | undefined;
}

/** Neither secrets nor what callers have written. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanStart {
  /** `internal` unless it says otherwise. */
  readonly kind?: 'internal' | 'server' | 'client';
  /** What it is below; the first of a trace of its own without one, or with one that cannot be read. */
  readonly parent?: TraceContext | undefined;
  readonly attributes?: Attributes;
}

/** Something that goes on, until it is ended. */
export interface Span {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** For what is below it. */
  readonly context: TraceContext;
  set(attributes: Attributes): void;
  /** @param problem of one that failed: what happened, or '' when the attributes say it. */
  end(problem?: string): void;
}

export interface Tracing {
  begin(name: string, start?: SpanStart): Span;
  /** Sends what has ended so far, for a bounded time. Never rejects. */
  close(): Promise<void>;
}

export interface TracingParts {
  /** Of the trainer. */
  readonly version: string;
  /** How long {@link Tracing.close} may take. */
  readonly closeWithinMs: number;
  /** Told when spans do not reach the collector, once in ten minutes at most. */
  readonly warn: (line: string) => void;
}

/** Undefined without settings. */
export async function openTracing(
  settings: TracingSettings | undefined,
  parts: TracingParts,
): Promise<Tracing | undefined> {
  if (settings === undefined) return undefined;
  const { SdkTracing } = await import('./sdk.ts');
  return new SdkTracing(settings, parts);
}
