/** Calls to the server: deadline, request id, abort signal, and errors of one class. Knows no method by name. */

import { randomUUID } from 'node:crypto';
import {
  Client,
  type ClientReadableStream,
  type ClientWritableStream,
  type CallOptions as GrpcCallOptions,
  Metadata,
  type MethodDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import { onAbort, sleep, throwIfAborted } from './abort.ts';
import { isLocal, type Target } from './address.ts';
import { channelCredentials } from './credentials.ts';
import { deferred } from './deferred.ts';
import { GlocalError } from './error.ts';
import type { CallOptions, ClientOptions } from './options.ts';
import { serviceConfig } from './retry.ts';
import { type CallContext, fromServiceError } from './status.ts';
import { authorization } from './token.ts';

/** A stream in both directions. Leaving the loop over its responses cancels the call. */
export interface Duplex<Request, Response> extends AsyncIterable<Response> {
  /** Resolves when there is room for the next one, or when the call is over: why, its responses tell. */
  send(request: Request): Promise<void>;
}

interface StreamOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onOpen?: (() => void) | undefined;
  /** Milliseconds for the whole stream. @default no limit */
  readonly timeout?: number | undefined;
}

type TransportOptions = Pick<ClientOptions, 'token' | 'timeout' | 'keepalive' | 'retry'>;

/** One channel to one server. */
export class Transport {
  readonly address: string;
  /** Milliseconds that a call has unless it says otherwise. */
  readonly timeout: number;
  readonly #client: Client;
  readonly #token: ClientOptions['token'];
  readonly #closing = new AbortController();

  constructor(target: Target, { token, timeout = 30_000, keepalive = {}, retry = {} }: TransportOptions) {
    this.address = target.address;
    this.#token = token;
    this.timeout = timeout;
    this.#client = new Client(target.address, channelCredentials(target.tls), {
      'grpc.keepalive_time_ms': keepalive.time ?? 30_000,
      'grpc.keepalive_timeout_ms': keepalive.timeout ?? 10_000,
      // Without these a server that comes back is not looked for again for up to two minutes.
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 5_000,
      'grpc.service_config': serviceConfig(retry),
      // The variables of proxies are meant for other machines; what is on this one may not be visible to a proxy.
      ...(isLocal(target.address) ? { 'grpc.enable_http_proxy': 0 } : {}),
      ...(target.tls?.serverName === undefined
        ? {}
        : { 'grpc.ssl_target_name_override': target.tls.serverName }),
    });
  }

  /** Ends every call that is under way, and the connection. */
  close(): void {
    this.#closing.abort(new GlocalError('CANCELLED', 'the client was closed', { reason: 'CLIENT_CLOSED' }));
    this.#client.close();
  }

  /** One request, one response. */
  async unary<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    { signal, timeout = this.timeout }: CallOptions = {},
  ): Promise<Response> {
    const { context, signals, metadata, limit } = this.#begin(method, { signal, timeout });
    let stopListening = () => {};
    try {
      return await new Promise<Response>((resolve, reject) => {
        const call = this.#client.makeUnaryRequest(
          method.path,
          method.requestSerialize,
          method.responseDeserialize,
          request,
          metadata,
          limit,
          (error, response) => (error === null ? resolve(response as Response) : reject(error)),
        );
        stopListening = onAbort(signals, () => call.cancel());
      });
    } catch (error) {
      throwIfAborted(signals);
      throw fromServiceError(error as ServiceError, context);
    } finally {
      stopListening();
    }
  }

  /**
   * One request, a stream of responses. Leaving the loop cancels the call.
   * @param onOpen called when the server has begun to answer, also before the first response
   */
  async *serverStream<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    { signal, timeout, onOpen = () => {} }: StreamOptions = {},
  ): AsyncGenerator<Response, void, undefined> {
    const { context, signals, metadata, limit } = this.#begin(method, { signal, timeout });
    const call = this.#client.makeServerStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      metadata,
      limit,
    );
    call.on('metadata', onOpen);
    yield* this.#responses(call, signals, context);
  }

  /**
   * A stream of requests, one response. A server that answers before it has read them all is not sent the rest.
   * @param requests read as fast as the server takes them
   */
  async clientStream<Request, Response>(
    method: MethodDefinition<Request, Response>,
    requests: AsyncIterable<Request>,
    { signal, timeout }: Pick<StreamOptions, 'signal' | 'timeout'> = {},
  ): Promise<Response> {
    const { context, signals, metadata, limit } = this.#begin(method, { signal, timeout });
    const { promise: answer, resolve, reject } = deferred<Response>();
    const call = this.#client.makeClientStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      metadata,
      limit,
      (error, response) => (error === null ? resolve(response as Response) : reject(error)),
    );
    call.on('error', () => {});
    const stopListening = onAbort(signals, () => call.cancel());
    let answered = false;
    const answering = () => {
      answered = true;
    };
    const over = answer.then(answering, answering);
    try {
      for await (const request of requests) {
        if (answered) break;
        await send(call, request, over);
      }
      call.end();
      return await answer;
    } catch (error) {
      throw whyItEnded(error, signals, context);
    } finally {
      stopListening();
      call.cancel();
    }
  }

  /** Streams in both directions. */
  duplex<Request, Response>(
    method: MethodDefinition<Request, Response>,
    { signal, timeout, onOpen = () => {} }: StreamOptions = {},
  ): Duplex<Request, Response> {
    const { context, signals, metadata, limit } = this.#begin(method, { signal, timeout });
    const call = this.#client.makeBidiStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      metadata,
      limit,
    );
    call.on('metadata', onOpen);
    const over = new Promise<void>((resolve) => call.on('status', () => resolve()));
    const responses = this.#responses<Response>(call, signals, context);
    return {
      send: (request) => send(call, request, over),
      [Symbol.asyncIterator]: () => responses,
    };
  }

  /** What comes over a call. Leaving the loop cancels it. */
  async *#responses<Response>(
    call: ClientReadableStream<Response>,
    signals: Signals,
    context: CallContext,
  ): AsyncGenerator<Response, void, undefined> {
    // After the loop is left, the cancellation arrives as an 'error' that nobody else listens to.
    call.on('error', () => {});
    const stopListening = onAbort(signals, () => call.cancel());
    try {
      for await (const response of call) {
        throwIfAborted(signals);
        yield response as Response;
      }
    } catch (error) {
      throw whyItEnded(error, signals, context);
    } finally {
      stopListening();
      call.cancel();
    }
  }

  /**
   * Waits between two attempts.
   * @throws GlocalError CANCELLED when the signal is aborted or the client closed.
   */
  pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
    return sleep(milliseconds, [signal, this.#closing.signal]);
  }

  /** What every call begins with. @throws GlocalError when nobody waits for it any more, or the token cannot be had. */
  #begin(
    { path }: Pick<MethodDefinition<unknown, unknown>, 'path'>,
    { signal, timeout }: Pick<StreamOptions, 'signal' | 'timeout'>,
  ): Beginning {
    const signals = [signal, this.#closing.signal];
    throwIfAborted(signals);
    const requestId = randomUUID();
    const method = path.slice(path.lastIndexOf('/') + 1);
    const metadata = new Metadata();
    metadata.set('x-request-id', requestId);
    const shown = authorization(this.#token);
    if (shown !== undefined) metadata.set('authorization', shown);
    return {
      context: { method, address: this.address, requestId, timeout },
      signals,
      metadata,
      limit: timeout === undefined ? {} : { deadline: Date.now() + timeout },
    };
  }
}

type Signals = readonly (AbortSignal | undefined)[];

interface Beginning {
  readonly context: CallContext;
  /** Any of them ends the call. */
  readonly signals: Signals;
  readonly metadata: Metadata;
  readonly limit: GrpcCallOptions;
}

/** Resolves when there is room for the next request, or the call is over. */
async function send<Request>(
  call: Pick<ClientWritableStream<Request>, 'write' | 'once' | 'off'>,
  request: Request,
  over: Promise<void>,
): Promise<void> {
  if (call.write(request)) return;
  const { promise: room, resolve } = deferred<void>();
  call.once('drain', resolve);
  await Promise.race([room, over]);
  call.off('drain', resolve);
}

const isServiceError = (error: unknown): error is ServiceError =>
  error instanceof Error && !(error instanceof GlocalError) && 'code' in error && 'metadata' in error;

/** What a caller is told of an error. @throws GlocalError when one of the signals is aborted. */
function whyItEnded(error: unknown, signals: Signals, context: CallContext): unknown {
  throwIfAborted(signals);
  return isServiceError(error) ? fromServiceError(error, context) : error;
}
