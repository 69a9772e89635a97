/** Calls to the server: deadline, request id, abort signal, and errors of one class. Knows no method by name. */

import { randomUUID } from 'node:crypto';
import {
  Client,
  type CallOptions as GrpcCallOptions,
  Metadata,
  type MethodDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import { onAbort, sleep, throwIfAborted } from './abort.ts';
import { isLocal, type Target } from './address.ts';
import { channelCredentials } from './credentials.ts';
import { GlocalError } from './error.ts';
import type { CallOptions, ClientOptions } from './options.ts';
import { serviceConfig } from './retry.ts';
import { type CallContext, fromServiceError } from './status.ts';

interface StreamOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onOpen?: (() => void) | undefined;
  /** Milliseconds for the whole stream. @default no limit */
  readonly timeout?: number | undefined;
}

type TransportOptions = Pick<ClientOptions, 'timeout' | 'keepalive' | 'retry'>;

/** One channel to one server. */
export class Transport {
  readonly address: string;
  /** Milliseconds that a call has unless it says otherwise. */
  readonly timeout: number;
  readonly #client: Client;
  readonly #closing = new AbortController();

  constructor(target: Target, { timeout = 30_000, keepalive = {}, retry = {} }: TransportOptions) {
    this.address = target.address;
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
    const context = this.#context(method.path, timeout);
    const signals = [signal, this.#closing.signal];
    throwIfAborted(signals);
    let stopListening = () => {};
    try {
      return await new Promise<Response>((resolve, reject) => {
        const call = this.#client.makeUnaryRequest(
          method.path,
          method.requestSerialize,
          method.responseDeserialize,
          request,
          metadata(context),
          { deadline: Date.now() + timeout } satisfies GrpcCallOptions,
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
    const context = this.#context(method.path, timeout);
    const signals = [signal, this.#closing.signal];
    throwIfAborted(signals);
    const call = this.#client.makeServerStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      metadata(context),
      timeout === undefined ? {} : { deadline: Date.now() + timeout },
    );
    call.on('metadata', onOpen);
    // After the loop is left, the cancellation arrives as an 'error' that nobody else listens to.
    call.on('error', () => {});
    const stopListening = onAbort(signals, () => call.cancel());
    try {
      for await (const response of call) {
        throwIfAborted(signals);
        yield response as Response;
      }
    } catch (error) {
      throwIfAborted(signals);
      throw error instanceof GlocalError ? error : fromServiceError(error as ServiceError, context);
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

  #context(path: string, timeout: number | undefined): CallContext {
    const method = path.slice(path.lastIndexOf('/') + 1);
    return { method, address: this.address, requestId: randomUUID(), timeout };
  }
}

function metadata({ requestId }: CallContext): Metadata {
  const result = new Metadata();
  result.set('x-request-id', requestId);
  return result;
}
