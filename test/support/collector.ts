/** An OpenTelemetry collector that keeps the spans that it is sent over gRPC. */

import { fileURLToPath } from 'node:url';
import {
  type Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { serviceIn } from './dynamic.ts';

const PROTO = fileURLToPath(new URL('otlp-trace.proto', import.meta.url));
const service = serviceIn(
  loadSync(PROTO, { longs: Number, defaults: true, oneofs: true }),
  'opentelemetry.proto.collector.trace.v1.TraceService',
);

interface KeyValue {
  readonly key: string;
  readonly value: { readonly value: string; readonly [kind: string]: unknown };
}

interface ExportRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: readonly { readonly spans: readonly ExportedSpan[] }[];
  }[];
}

interface ExportedSpan {
  readonly traceId: Buffer;
  readonly spanId: Buffer;
  readonly parentSpanId: Buffer;
  readonly traceState: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: readonly KeyValue[];
  readonly status: { readonly code: number; readonly message: string } | null;
}

/** Ids in hexadecimal digits; `parent` is '' of the first of a trace. */
export interface CollectedSpan {
  readonly service: unknown;
  readonly trace: string;
  readonly id: string;
  readonly parent: string;
  readonly traceState: string;
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client';
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly failed: boolean;
}

const KINDS = ['internal', 'internal', 'server', 'client'] as const;
const ERROR = 2;

export class Collector implements AsyncDisposable {
  readonly #server = new Server();
  readonly spans: CollectedSpan[] = [];
  /** Metadata of the exports. */
  readonly metadata: Metadata[] = [];
  /** As OTEL_EXPORTER_OTLP_ENDPOINT has it. */
  endpoint = '';

  static async start(): Promise<Collector> {
    const collector = new Collector();
    await collector.#listen();
    return collector;
  }

  /** The spans of this name. */
  named(name: string): CollectedSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  async #listen(): Promise<void> {
    this.#server.addService(service, {
      Export: (call: ServerUnaryCall<ExportRequest, object>, callback: sendUnaryData<object>) => {
        this.metadata.push(call.metadata);
        this.spans.push(...spansOf(call.request));
        callback(null, {});
      },
    });
    const port = await new Promise<number>((resolve, reject) =>
      this.#server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      ),
    );
    this.endpoint = `http://127.0.0.1:${port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.forceShutdown();
  }
}

const spansOf = ({ resourceSpans }: ExportRequest): CollectedSpan[] =>
  resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ traceId, spanId, parentSpanId, traceState, name, kind, attributes, status }) => ({
        service: valuesOf(resource.attributes)['service.name'],
        trace: traceId.toString('hex'),
        id: spanId.toString('hex'),
        parent: parentSpanId.toString('hex'),
        traceState,
        name,
        kind: KINDS[kind] ?? 'internal',
        attributes: valuesOf(attributes),
        failed: status?.code === ERROR,
      })),
    ),
  );

const valuesOf = (attributes: readonly KeyValue[]): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value[value.value]]));
