/** OpenTelemetry as a program sets it up: a context that follows asynchronous calls, W3C headers, and spans that are kept. */

import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Context,
  type ContextManager,
  context,
  propagation,
  ROOT_CONTEXT,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { type ReadableSpan, TracerProvider } from '@opentelemetry/sdk-trace';

class Contexts implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>();
  active(): Context {
    return this.#storage.getStore() ?? ROOT_CONTEXT;
  }
  with: ContextManager['with'] = (active, act, self, ...args) =>
    this.#storage.run(active, () => act.apply(self as ThisParameterType<typeof act>, args));
  bind<Target>(_context: Context, target: Target): Target {
    return target;
  }
  enable(): this {
    return this;
  }
  disable(): this {
    this.#storage.disable();
    return this;
  }
}

export class Telemetry implements AsyncDisposable {
  /** Spans that have ended. */
  readonly ended: ReadableSpan[] = [];
  readonly tracer: Tracer;
  readonly #provider: TracerProvider;

  constructor() {
    this.#provider = new TracerProvider({
      spanProcessors: [
        {
          onStart: () => {},
          onEnd: (span) => void this.ended.push(span),
          forceFlush: async () => {},
          shutdown: async () => {},
        },
      ],
    });
    context.setGlobalContextManager(new Contexts());
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    trace.setGlobalTracerProvider(this.#provider);
    this.tracer = trace.getTracer('a program');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const api of [trace, propagation, context]) api.disable();
    await this.#provider.shutdown();
  }
}
