/** Errors that callers of the API see, and their encoding as google.rpc.Status. */

import { BadRequest, ErrorInfo, RequestInfo, RetryInfo } from '@glocal/proto/google/rpc/error_details';
import { Status } from '@glocal/proto/google/rpc/status';
import { Metadata, status } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { ObjectStoreError } from '../objects/errors.ts';
import {
  BusyError,
  describe,
  FieldError,
  type FieldViolation,
  InterruptedError,
  NotFoundError,
  StateError,
} from '../resource/errors.ts';
import { AuthenticationError, KeysUnavailableError } from '../security/errors.ts';
import { StoreUnavailableError } from '../store/errors.ts';
import type { Span } from '../tracing/tracing.ts';
import { fewViolations, shortMessage } from './trailers.ts';

/** After a write that the store could not make; it looks more often itself. */
const STORE_RETRY_MS = 5_000;
/** After keys could not be fetched from where they are published. */
const KEYS_RETRY_MS = 5_000;

export interface ApiErrorOptions {
  readonly violations?: readonly FieldViolation[];
  /** When the same call may succeed, in milliseconds from now. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** An answer that is not the one the caller hoped for: a gRPC code, a reason for programs, a message for people. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: status;
  readonly reason: string;
  readonly violations: readonly FieldViolation[];
  readonly retryAfterMs: number | undefined;

  /**
   * @param code gRPC status code.
   * @param reason UPPER_SNAKE_CASE, stable, sent as google.rpc.ErrorInfo.reason.
   */
  constructor(code: status, reason: string, message: string, options: ApiErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.reason = reason;
    this.violations = options.violations ?? [];
    this.retryAfterMs = options.retryAfterMs;
  }

  /** The error in gRPC's terms, or undefined when it is not one that a caller is told of. */
  static from(error: unknown): ApiError | undefined {
    if (error instanceof ApiError) return error;
    if (error instanceof FieldError) {
      const { reason, message, violations } = error;
      return new ApiError(status.INVALID_ARGUMENT, reason, message, { violations, cause: error });
    }
    if (error instanceof NotFoundError) {
      return new ApiError(status.NOT_FOUND, 'NOT_FOUND', error.message, { cause: error });
    }
    if (error instanceof StateError) {
      return new ApiError(status.FAILED_PRECONDITION, 'STATE', error.message, { cause: error });
    }
    if (error instanceof StoreUnavailableError || error instanceof ObjectStoreError) {
      return new ApiError(status.UNAVAILABLE, 'STORE_UNAVAILABLE', error.message, {
        retryAfterMs: STORE_RETRY_MS,
        cause: error,
      });
    }
    if (error instanceof AuthenticationError) {
      return new ApiError(status.UNAUTHENTICATED, error.reason, error.message, { cause: error });
    }
    if (error instanceof KeysUnavailableError) {
      const options = { retryAfterMs: KEYS_RETRY_MS, cause: error };
      return new ApiError(status.UNAVAILABLE, 'KEYS_UNAVAILABLE', error.message, options);
    }
    if (error instanceof InterruptedError || error instanceof BusyError) {
      const { reason, message, retryAfterMs } = error;
      const code = error instanceof BusyError ? status.RESOURCE_EXHAUSTED : status.UNAVAILABLE;
      return new ApiError(code, reason, message, {
        ...(retryAfterMs !== undefined && { retryAfterMs }),
        cause: error,
      });
    }
    return undefined;
  }
}

const DOMAIN = 'glocal';

/** How a call ends that fails. */
export interface ErrorStatus {
  readonly code: status;
  readonly message: string;
  /** The message again, as a status has it. */
  readonly details: string;
  readonly metadata: Metadata;
}

/** Where to find a call in the log. */
interface FailedCall {
  readonly requestId: string;
  readonly method: string;
  readonly span?: Pick<Span, 'traceId'> | undefined;
}

/** What the caller is told. Of what was not expected it learns only where to find it: the log has the rest. */
export function serviceError(
  error: unknown,
  { requestId, method, span }: FailedCall,
  log: Pick<Logger, 'error'>,
): ErrorStatus {
  const known = ApiError.from(error);
  if (known !== undefined) return toServiceError(known, requestId);
  log.error({ requestId, traceId: span?.traceId, method, err: error }, 'internal error');
  const message = `internal error; the server's log has it under request ${requestId}`;
  return toServiceError(new ApiError(status.INTERNAL, 'INTERNAL', message), requestId);
}

/** The error as grpc-js sends it: code and message, and the typed details in `grpc-status-details-bin`; all of it short. */
export function toServiceError(error: ApiError, requestId: string): ErrorStatus {
  const violations = fewViolations(error.violations);
  const message = shortMessage(violations === error.violations ? error.message : describe(violations));
  const details = [
    detail('ErrorInfo', ErrorInfo.encode({ reason: error.reason, domain: DOMAIN, metadata: {} }).finish()),
    detail('RequestInfo', RequestInfo.encode({ requestId, servingData: '' }).finish()),
  ];
  if (violations.length > 0) {
    const fieldViolations = violations.map((v) => ({ ...v, reason: '', localizedMessage: undefined }));
    details.push(detail('BadRequest', BadRequest.encode({ fieldViolations }).finish()));
  }
  if (error.retryAfterMs !== undefined) {
    const seconds = BigInt(Math.floor(error.retryAfterMs / 1000));
    const nanos = Math.round((error.retryAfterMs % 1000) * 1e6);
    details.push(detail('RetryInfo', RetryInfo.encode({ retryDelay: { seconds, nanos } }).finish()));
  }
  const metadata = new Metadata();
  const encoded = Status.encode({ code: error.code, message, details }).finish();
  metadata.set('grpc-status-details-bin', Buffer.from(encoded));
  return { code: error.code, details: message, message, metadata };
}

function detail(type: string, value: Uint8Array) {
  return { typeUrl: `type.googleapis.com/google.rpc.${type}`, value: Buffer.from(value) };
}
