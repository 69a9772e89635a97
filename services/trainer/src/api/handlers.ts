/** Wraps async functions as grpc-js handlers: request ids, typed errors, back-pressure, and nothing unhandled. */

import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  type Metadata,
  type ServerWritableStream,
  status,
} from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { ulid } from 'ulid';
import { ApiError, toServiceError } from './errors.ts';

/** A unary method: the request in, the response out, or an {@link ApiError}. */
export function unary<Request, Response>(
  log: Logger,
  handle: (request: Request) => Promise<Response>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    const requestId = requestIdOf(call.metadata);
    handle(call.request).then(
      (response) => callback(null, response),
      (error: unknown) =>
        callback(toServiceError(asApiError(error, requestId, call.getPath(), log), requestId)),
    );
  };
}

/** A server-streaming method: an async iterable of responses, written no faster than the client reads. */
export function serverStreaming<Request, Response>(
  log: Logger,
  handle: (request: Request, signal: AbortSignal) => AsyncIterable<Response>,
): handleServerStreamingCall<Request, Response> {
  return (call) => {
    const requestId = requestIdOf(call.metadata);
    const gone = new AbortController();
    call.on('cancelled', () => gone.abort());
    call.on('close', () => gone.abort());
    pump(call, handle(call.request, gone.signal), gone.signal).then(
      () => call.end(),
      (error: unknown) => {
        if (gone.signal.aborted) return;
        call.emit('error', toServiceError(asApiError(error, requestId, call.getPath(), log), requestId));
      },
    );
  };
}

async function pump<Response>(
  call: ServerWritableStream<unknown, Response>,
  responses: AsyncIterable<Response>,
  gone: AbortSignal,
): Promise<void> {
  for await (const response of responses) {
    if (gone.aborted) return;
    if (!call.write(response)) await drained(call, gone);
  }
}

function drained(call: ServerWritableStream<unknown, unknown>, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      call.off('drain', done);
      gone.removeEventListener('abort', done);
      resolve();
    };
    call.once('drain', done);
    gone.addEventListener('abort', done, { once: true });
  });
}

/** The caller's `x-request-id` when it is short and printable, else a new one. */
function requestIdOf(metadata: Metadata): string {
  const [given] = metadata.get('x-request-id');
  return typeof given === 'string' && /^[\x21-\x7e]{1,128}$/.test(given) ? given : ulid();
}

function asApiError(error: unknown, requestId: string, method: string, log: Logger): ApiError {
  const known = ApiError.from(error);
  if (known !== undefined) {
    log.debug({ requestId, method, code: status[known.code], reason: known.reason }, known.message);
    return known;
  }
  log.error({ requestId, method, err: error }, 'internal error');
  return new ApiError(
    status.INTERNAL,
    'INTERNAL',
    `internal error; the server's log has it under request ${requestId}`,
  );
}
