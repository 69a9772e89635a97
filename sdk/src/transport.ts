/**
 * Calls to the servers: deadline, request id, token, span, abort signal, errors of the SDK's classes, and which are made again.
 * Knows no method by name.
 */

import { randomUUID } from 'node:crypto';
import { DmdServiceDefinition } from '@glocal/proto/glocal/v1/dmd';
import type {
  ClientReadableStream,
  ClientWritableStream,
  CallOptions as GrpcCallOptions,
  Metadata,
  MethodDefinition,
  ServiceError,
} from '@grpc/grpc-js';
import { limit, onAbort, sleep, throwIfAborted, unlessAborted } from './abort.ts';
import type { Target } from './address.ts';
import { type Channel, Channels } from './channels.ts';
import { deferred } from './deferred.ts';
import { CancelledError, GlocalError } from './error.ts';
import { type Log, logTo } from './logger.ts';
import { metadataOf } from './metadata.ts';
import type { CallOptions, ClientOptions, RetryOptions } from './options.ts';
import { isIdempotent, pauseAfter } from './retry.ts';
import { type CallContext, fromServiceError } from './status.ts';
import { TokenKeeper } from './token.ts';
import { beginSpan, type CallSpan, openTelemetry } from './tracing.ts';

/** A stream in both directions. Leaving the loop over its responses cancels the call. */
export interface Duplex<Request, Response> extends AsyncIterable<Response> {
  /** Resolves when there is room for the next one, or when the call is over: why, its responses tell. */
  send(request: Request): Promise<void>;
}

interface StreamOptions extends Pick<CallOptions, 'signal' | 'metadata'> {
  readonly onOpen?: (() => void) | undefined;
  /** Milliseconds for the whole stream. @default no limit */
  readonly timeout?: number | undefined;
}

/** One of several attempts at a call, which share its id and its time. */
interface Attempt extends StreamOptions {
  readonly requestId?: string | undefined;
  /** Milliseconds since 1970; where it is left out, `timeout` from now. */
  readonly deadline?: number | undefined;
}

/** Options of what may be attempted several times. */
interface RepeatedOptions extends CallOptions {
  /** @default the client's */
  readonly retry?: RetryOptions | undefined;
}

interface TransportOptions
  extends Pick<ClientOptions, 'token' | 'timeout' | 'keepalive' | 'retry' | 'logger'> {
  /** Bytes of the largest message that may come; -1 for any. @default 4 MiB, as gRPC has it */
  readonly maxReceiveBytes?: number | undefined;
}
type Method = Pick<MethodDefinition<unknown, unknown>, 'path'>;

/** The channels to the servers. */
export class Transport {
  /** Where the servers are, with commas between them. */
  readonly address: string;
  /** Milliseconds that a call has unless it says otherwise. */
  readonly timeout: number;
  readonly log: Log;
  readonly #channels: Channels;
  readonly #token: TokenKeeper;
  readonly #retry: RetryOptions;
  readonly #closing = new AbortController();

  constructor(target: Target, options: TransportOptions) {
    const { token, timeout = 30_000, keepalive = {}, retry = {}, logger, maxReceiveBytes } = options;
    this.address = target.addresses.join(',');
    this.timeout = timeout;
    this.log = logTo(logger);
    this.#token = new TokenKeeper(token, this.log);
    this.#retry = retry;
    this.#channels = new Channels(target, { keepalive, maxReceiveBytes, log: this.log });
  }

  /** Ends every call that is under way, and the connections. */
  close(): void {
    this.#closing.abort(new CancelledError('the client was closed', { reason: 'CLIENT_CLOSED' }));
    this.#channels.close();
  }

  /** Whether another token can be had in place of one that a server has refused. */
  get renewsTokens(): boolean {
    return this.#token.renewable;
  }

  /** One request, one response. */
  unary<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    options?: RepeatedOptions,
  ): Promise<Response> {
    return this.repeating(method, options, (attempt) => this.#unaryOnce(method, request, attempt));
  }

  /**
   * A call that is made again within its time where that makes sense: by the contract, or once with another token.
   * @param attempt makes the call, and is done with it when it resolves
   */
  async repeating<Result>(
    { path }: Method,
    { signal, metadata, timeout = this.timeout, retry = this.#retry }: RepeatedOptions = {},
    attempt: (attempt: Attempt) => Promise<Result>,
  ): Promise<Result> {
    const requestId = randomUUID();
    const deadline = Date.now() + timeout;
    let renewed = false;
    for (let attempts = 1; ; attempts++) {
      try {
        return await attempt({ signal, metadata, timeout, requestId, deadline });
      } catch (error) {
        if (!(error instanceof GlocalError)) throw error;
        if (error.code === 'UNAUTHENTICATED' && this.renewsTokens && !renewed) {
          renewed = true;
          continue;
        }
        const left = deadline - Date.now();
        const delay = isIdempotent(path) ? pauseAfter(error, attempts, left, retry) : undefined;
        if (delay === undefined) throw error;
        this.log('debug', 'a call is made again', {
          ...{ method: nameOf(path), attempt: attempts + 1, delay, requestId },
          ...{ code: error.code, reason: error.reason },
        });
        await this.pause(delay, signal);
      }
    }
  }

  async #unaryOnce<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    options: Attempt,
  ): Promise<Response> {
    const call = await this.#begin(method, options);
    let stopListening = () => {};
    try {
      const response = await new Promise<Response>((resolve, reject) => {
        const made = call.channel.client.makeUnaryRequest(
          method.path,
          method.requestSerialize,
          method.responseDeserialize,
          request,
          call.metadata,
          call.limit,
          (error, answer) => (error === null ? resolve(answer as Response) : reject(error)),
        );
        stopListening = onAbort(call.signals, () => made.cancel());
      });
      call.span?.end('OK', false);
      return response;
    } catch (error) {
      throw this.#failure(error, call);
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
    options: Attempt = {},
  ): AsyncGenerator<Response, void, undefined> {
    const call = await this.#begin(method, options);
    const made = call.channel.client.makeServerStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      call.metadata,
      call.limit,
    );
    if (options.onOpen !== undefined) made.on('metadata', options.onOpen);
    yield* this.#responses(made, call);
  }

  /**
   * A stream of requests, one response. A server that answers before it has read them all is not sent the rest.
   * @param requests read as fast as the server takes them
   */
  async clientStream<Request, Response>(
    method: MethodDefinition<Request, Response>,
    requests: AsyncIterable<Request>,
    options: Omit<StreamOptions, 'onOpen'> = {},
  ): Promise<Response> {
    const call = await this.#begin(method, options);
    const { promise: answer, resolve, reject } = deferred<Response>();
    const made = call.channel.client.makeClientStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      call.metadata,
      call.limit,
      (error, response) => (error === null ? resolve(response as Response) : reject(error)),
    );
    made.on('error', () => {});
    const stopListening = onAbort(call.signals, () => made.cancel());
    let answered = false;
    const answering = () => {
      answered = true;
    };
    const over = answer.then(answering, answering);
    try {
      for await (const request of requests) {
        if (answered) break;
        await send(made, request, over);
      }
      made.end();
      const response = await answer;
      call.span?.end('OK', false);
      return response;
    } catch (error) {
      throw this.#failure(error, call);
    } finally {
      stopListening();
      made.cancel();
    }
  }

  /** Streams in both directions. */
  async duplex<Request, Response>(
    method: MethodDefinition<Request, Response>,
    options: StreamOptions = {},
  ): Promise<Duplex<Request, Response>> {
    const call = await this.#begin(method, options);
    const made = call.channel.client.makeBidiStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      call.metadata,
      call.limit,
    );
    if (options.onOpen !== undefined) made.on('metadata', options.onOpen);
    const over = new Promise<void>((resolve) => made.on('status', () => resolve()));
    const responses = this.#responses<Response>(made, call);
    return {
      send: (request) => send(made, request, over),
      [Symbol.asyncIterator]: () => responses,
    };
  }

  /** What comes over a call. Leaving the loop cancels it. */
  async *#responses<Response>(
    made: ClientReadableStream<Response>,
    call: Call,
  ): AsyncGenerator<Response, void, undefined> {
    // After the loop is left, the cancellation arrives as an 'error' that nobody else listens to.
    made.on('error', () => {});
    const stopListening = onAbort(call.signals, () => made.cancel());
    try {
      for await (const response of made) {
        throwIfAborted(call.signals);
        yield response as Response;
      }
      call.span?.end('OK', false);
    } catch (error) {
      throw this.#failure(error, call);
    } finally {
      stopListening();
      made.cancel();
      call.span?.end('CANCELLED', false);
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
  async #begin({ path }: Method, options: Attempt): Promise<Call> {
    const { timeout, requestId = randomUUID() } = options;
    const signals = [options.signal, this.#closing.signal];
    throwIfAborted(signals);
    const method = nameOf(path);
    const deadline = options.deadline ?? (timeout === undefined ? undefined : Date.now() + timeout);
    const token = await this.#tokenFor(method, signals, deadline);
    const telemetry = await openTelemetry();
    // The client may have been closed meanwhile.
    throwIfAborted(signals);
    const channel = this.#channels.next();
    const metadata = metadataOf(options.metadata);
    metadata.set('x-request-id', requestId);
    if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
    const span = telemetry && beginSpan(telemetry, path, channel.address, metadata);
    return {
      context: { method, service: serviceOf(path), address: channel.address, requestId, timeout },
      limit: deadline === undefined ? {} : { deadline },
      ...{ channel, signals, metadata, token, span },
    };
  }

  async #tokenFor(
    method: string,
    signals: Signals,
    deadline: number | undefined,
  ): Promise<string | undefined> {
    const token = this.#token.current();
    if (!(token instanceof Promise)) return token;
    const left = deadline === undefined ? Number.POSITIVE_INFINITY : Math.max(deadline - Date.now(), 0);
    const within = limit(undefined, left, `asking for the token of ${method}`);
    try {
      return await unlessAborted(token, [...signals, within.signal]);
    } finally {
      within.release();
    }
  }

  /** What a caller is told of an error, which ends the call. */
  #failure(error: unknown, call: Call): unknown {
    const told = whyItEnded(error, call);
    if (!(told instanceof GlocalError)) return told;
    call.span?.end(told.code, true);
    if (told.code === 'UNAUTHENTICATED') {
      this.#token.refused(call.token);
      const { method, address, requestId } = call.context;
      const fields = { method, address, requestId, reason: told.reason };
      if (this.renewsTokens) this.log('info', 'the token was refused: another one is asked for', fields);
    }
    return told;
  }
}

type Signals = readonly (AbortSignal | undefined)[];

/** A call that has begun. */
interface Call {
  readonly context: CallContext;
  readonly channel: Channel;
  /** Any of them ends the call. */
  readonly signals: Signals;
  readonly metadata: Metadata;
  readonly limit: GrpcCallOptions;
  readonly token: string | undefined;
  readonly span: CallSpan | undefined;
}

/** `GetStudy` of `/glocal.v1.StudyService/GetStudy`. */
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** Which of the services has the method of this path. */
const serviceOf = (path: string): CallContext['service'] =>
  path.startsWith(`/${DmdServiceDefinition.fullName}/`) ? 'dmd' : 'trainer';

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

/** The abort of a signal, an error of gRPC in words of ours, or what it was. */
function whyItEnded(error: unknown, { signals, context }: Call): unknown {
  try {
    throwIfAborted(signals);
  } catch (aborted) {
    return aborted;
  }
  return isServiceError(error) ? fromServiceError(error, context) : error;
}
