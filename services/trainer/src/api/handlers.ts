/**
 * Adds methods to a server of grpc-js. A method is an async function of its request and what is known of its call, or a
 * generator where it streams; what it throws reaches the caller as a typed error, and nothing goes unhandled.
 */

import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  Metadata,
  type MethodDefinition,
  type Server,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { type Call, callOf } from './call.ts';
import { decodeRequest, type Encoded, encodeResponse } from './codec.ts';
import { serviceError } from './errors.ts';
import { Outgoing } from './outgoing.ts';

/** One request in, one response out. */
export type Unary<Request, Response> = (
  request: Request,
  call: Call,
) => Promise<Response | Encoded<Response>>;

/** One request in, responses out, which are asked for no faster than the client reads. */
export type ServerStreaming<Request, Response> = (
  request: Request,
  call: Call,
) => AsyncIterable<Response | Encoded<Response>>;

/** Requests in, asked for no faster than the method reads, one response out. They end as those of {@link Duplex} do. */
export type ClientStreaming<Request, Response> = (
  requests: AsyncIterable<Request>,
  call: Call,
) => Promise<Response | Encoded<Response>>;

/**
 * Requests in, responses out, both no faster than the other side reads. The requests end when the client has sent its
 * last, and throw the reason of `call.signal` when it has gone; the call ends with the responses.
 */
export type Duplex<Request, Response> = (
  requests: AsyncIterable<Request>,
  call: Call,
) => AsyncIterable<Response | Encoded<Response>>;

/** The function that a method of the contract wants. */
type MethodOf<Definition> = Definition extends {
  readonly requestStream: infer RequestStream;
  readonly responseStream: infer ResponseStream;
  readonly requestDeserialize: (bytes: Buffer) => infer Request;
  readonly responseSerialize: (response: infer Response) => Buffer;
}
  ? RequestStream extends true
    ? ResponseStream extends true
      ? Duplex<Request, Response>
      : ClientStreaming<Request, Response>
    : ResponseStream extends true
      ? ServerStreaming<Request, Response>
      : Unary<Request, Response>
  : never;

/** The functions behind a service, by the names of its methods. */
export type Methods<Service> = { readonly [Name in keyof Service]: MethodOf<Service[Name]> };

/** What all handlers of a server share. */
export interface HandlerOptions {
  readonly log: Logger;
  /** Aborted when the server begins to stop. */
  readonly stopping: AbortSignal;
}

// Type parameters of a definition are invariant; what is in a table of definitions is known to its own method only.
// biome-ignore lint/suspicious/noExplicitAny: as in grpc-js's ServiceDefinition
type AnyMethod = MethodDefinition<any, any>;

/** Adds a service whose methods are these. Messages are decoded and encoded here, where errors of either get a type. */
export function addService<Service extends ServiceDefinition>(
  server: Server,
  service: Service,
  methods: Methods<Service>,
  options: HandlerOptions,
): void {
  const definitions: Record<string, AnyMethod> = {};
  const handlers: Record<string, UntypedHandleCall> = {};
  for (const [name, definition] of Object.entries<AnyMethod>(service)) {
    definitions[name] = { ...definition, requestDeserialize: asItIs, responseSerialize: asItIs };
    handlers[name] = handlerOf(definition, methods[name as keyof Service], options);
  }
  server.addService(definitions, handlers);
}

const asItIs = (bytes: Buffer): Buffer => bytes;

function handlerOf(definition: AnyMethod, method: unknown, options: HandlerOptions): UntypedHandleCall {
  const { requestStream, responseStream } = definition;
  if (requestStream && !responseStream) {
    return clientStreaming(definition, method as ClientStreaming<unknown, unknown>, options);
  }
  if (requestStream) return duplex(definition, method as Duplex<unknown, unknown>, options);
  if (responseStream)
    return serverStreaming(definition, method as ServerStreaming<unknown, unknown>, options);
  return unary(definition, method as Unary<unknown, unknown>, options);
}

function unary(definition: AnyMethod, method: Unary<unknown, unknown>, { log, stopping }: HandlerOptions) {
  return (surface: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>): void => {
    const call = callOf(surface, stopping);
    const answer = async () => {
      const response = await method(decodeRequest(definition, surface.request), call);
      return encodeResponse(definition, response, call, log);
    };
    answer().then(
      (bytes) => callback(null, bytes),
      (error: unknown) => callback(serviceError(error, call, log)),
    );
  };
}

function serverStreaming(
  definition: AnyMethod,
  method: ServerStreaming<unknown, unknown>,
  options: HandlerOptions,
) {
  return (surface: ServerWritableStream<Buffer, Buffer>): void => {
    const call = callOf(surface, options.stopping);
    respond(definition, surface, call, options.log, () =>
      method(decodeRequest(definition, surface.request), call),
    );
  };
}

function clientStreaming(
  definition: AnyMethod,
  method: ClientStreaming<unknown, unknown>,
  { log, stopping }: HandlerOptions,
) {
  return (surface: ServerReadableStream<Buffer, Buffer>, callback: sendUnaryData<Buffer>): void => {
    const call = callOf(surface, stopping);
    const answer = async () => {
      const response = await method(requestsOf(definition, surface, call), call);
      return encodeResponse(definition, response, call, log);
    };
    answer().then(
      (bytes) => callback(null, bytes),
      (error: unknown) => callback(serviceError(error, call, log)),
    );
  };
}

function duplex(definition: AnyMethod, method: Duplex<unknown, unknown>, options: HandlerOptions) {
  return (surface: ServerDuplexStream<Buffer, Buffer>): void => {
    const call = callOf(surface, options.stopping);
    respond(definition, surface, call, options.log, () =>
      method(requestsOf(definition, surface, call), call),
    );
  };
}

/**
 * A stream that has nothing to say yet begins after this, so that its client knows that it is there. Not at once: an error that
 * comes before the beginning is one that clients may call again after by themselves.
 */
const QUIET_MS = 200;

/** Sends responses until they end, which ends the call, or throw, which ends it with the error. */
function respond(
  definition: AnyMethod,
  surface: ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>,
  call: Call,
  log: Logger,
  start: () => AsyncIterable<unknown>,
): void {
  const send = async () => {
    const outgoing = new Outgoing(surface, call.signal);
    const quiet = setTimeout(() => surface.sendMetadata(new Metadata()), QUIET_MS);
    try {
      for await (const response of start()) {
        clearTimeout(quiet);
        if (call.signal.aborted) return;
        await outgoing.send(encodeResponse(definition, response, call, log));
      }
    } finally {
      clearTimeout(quiet);
    }
  };
  send().then(
    () => surface.end(),
    (error: unknown) => {
      if (!call.signal.aborted) surface.emit('error', serviceError(error, call, log));
    },
  );
}

async function* requestsOf(
  definition: AnyMethod,
  surface: ServerReadableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>,
  { signal }: Call,
): AsyncGenerator<unknown> {
  try {
    // A method that wants no more requests may still answer.
    for await (const bytes of surface.iterator({ destroyOnReturn: false })) {
      yield decodeRequest(definition, bytes);
    }
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
  // The stream of a client that has gone ends as if it had sent its last, just before the call is told.
  await nextTurn();
  signal.throwIfAborted();
}
