/** Spans by the OpenTelemetry SDK, to a collector over gRPC. Nothing is global, and nothing is instrumented by itself. */

import { setTimeout as sleep } from 'node:timers/promises';
import {
  defaultTextMapGetter,
  defaultTextMapSetter,
  type Span as OtelSpan,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { type ExportResult, ExportResultCode, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type ReadableSpan,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Span, SpanStart, TraceContext, Tracing, TracingParts } from './tracing.ts';
import type { TracingSettings } from './variables.ts';

/** Name of the service in its spans, unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES has another. */
const SERVICE_NAME = 'glocal-trainer';
const WARN_EVERY_MS = 600_000;

const KINDS = { internal: SpanKind.INTERNAL, server: SpanKind.SERVER, client: SpanKind.CLIENT };
const propagator = new W3CTraceContextPropagator();

export class SdkTracing implements Tracing {
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;
  readonly #closeWithinMs: number;

  constructor(settings: TracingSettings, { version, closeWithinMs, warn }: TracingParts) {
    const { scheduleDelayMs, maxQueueSize, maxExportBatchSize } = settings;
    const named = resourceFromAttributes({
      'service.name': SERVICE_NAME,
      'service.version': version,
      'process.pid': process.pid,
    });
    this.#closeWithinMs = closeWithinMs;
    this.#provider = new TracerProvider({
      resource: defaultResource()
        .merge(named)
        .merge(detectResources({ detectors: [envDetector] })),
      sampler: samplerOf(settings),
      spanProcessors: [
        new BatchSpanProcessor({
          exporter: reporting(new OTLPTraceExporter(), warn),
          ...(scheduleDelayMs !== undefined && { scheduledDelayMillis: scheduleDelayMs }),
          ...(maxQueueSize !== undefined && { maxQueueSize }),
          ...(maxExportBatchSize !== undefined && { maxExportBatchSize }),
        }),
      ],
    });
    this.#tracer = this.#provider.getTracer(SERVICE_NAME, version);
  }

  begin(name: string, { kind = 'internal', parent, attributes = {} }: SpanStart = {}): Span {
    const above =
      parent === undefined ? ROOT_CONTEXT : propagator.extract(ROOT_CONTEXT, parent, defaultTextMapGetter);
    const span = this.#tracer.startSpan(name, { kind: KINDS[kind], attributes }, above);
    return {
      traceId: span.spanContext().traceId,
      context: contextOf(span),
      set: (more) => void span.setAttributes(more),
      end: (problem) => {
        if (problem !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: problem });
        span.end();
      },
    };
  }

  async close(): Promise<void> {
    const patience = new AbortController();
    // Whatever goes wrong has been reported by the exporter.
    const closed = this.#provider.shutdown().catch(() => {});
    await Promise.race([
      closed,
      sleep(this.#closeWithinMs, undefined, { signal: patience.signal }).catch(() => {}),
    ]);
    patience.abort();
  }
}

function contextOf(span: OtelSpan): TraceContext {
  const carrier: Record<string, string> = {};
  propagator.inject(trace.setSpan(ROOT_CONTEXT, span), carrier, defaultTextMapSetter);
  return { traceparent: carrier.traceparent ?? '', tracestate: carrier.tracestate };
}

function samplerOf({ sampler, ratio }: TracingSettings): Sampler {
  const always: Record<string, Sampler> = {
    always_on: new AlwaysOnSampler(),
    always_off: new AlwaysOffSampler(),
    traceidratio: new TraceIdRatioBasedSampler(ratio),
  };
  const root = always[sampler.replace('parentbased_', '')] as Sampler;
  return sampler.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root;
}

/** The exporter, whose failures are told of. */
function reporting(exporter: SpanExporter, warn: (line: string) => void): SpanExporter {
  let warnedAt = Number.NEGATIVE_INFINITY;
  const note = ({ code, error }: ExportResult, spans: readonly ReadableSpan[]) => {
    if (code === ExportResultCode.SUCCESS || performance.now() - warnedAt < WARN_EVERY_MS) return;
    warnedAt = performance.now();
    warn(
      `${spans.length} spans did not reach the OpenTelemetry collector: ${error?.message ?? 'no reason given'}`,
    );
  };
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        note(result, spans);
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
  };
}
