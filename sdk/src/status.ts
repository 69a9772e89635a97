/** From what gRPC reports (a status, and google.rpc details in its trailer) to a {@link GlocalError}. */

import { BadRequest, ErrorInfo, RequestInfo, RetryInfo } from '@glocal/proto/google/rpc/error_details';
import { Status } from '@glocal/proto/google/rpc/status';
import { type ServiceError, status } from '@grpc/grpc-js';
import { BROKEN_STREAM, connectionProblem, oneLine } from './connection-problem.ts';
import { milliseconds } from './duration.ts';
import { asCallersWrite } from './enums.ts';
import {
  describe,
  type ErrorCode,
  type ErrorDetail,
  errorOf,
  type FieldViolation,
  type GlocalError,
} from './error.ts';
import { fieldPath } from './field-path.ts';

/** The call that failed. */
export interface CallContext {
  /** Name of the method, for instance `GetStudy`. */
  readonly method: string;
  /** What should listen there. */
  readonly service: 'trainer' | 'dmd';
  readonly address: string;
  /** Sent along with the call. */
  readonly requestId: string;
  /** Milliseconds that the call had; undefined for one without a deadline. */
  readonly timeout: number | undefined;
}

interface Details {
  reason?: string;
  requestId?: string;
  retryDelay?: number;
  fieldViolations?: readonly FieldViolation[];
  details?: readonly ErrorDetail[];
}

/** The error of a call that the caller did not cancel. */
export function fromServiceError(error: ServiceError, context: CallContext): GlocalError {
  const details = readDetails(error);
  const fromServer = details.reason !== undefined;
  const lost = !fromServer && isLostConnection(error);
  const code = (lost ? 'UNAVAILABLE' : (status[error.code] ?? 'UNKNOWN')) as ErrorCode;
  const violations = details.fieldViolations ?? [];
  const message = violations.length > 0 ? describe(violations) : error.details;
  return errorOf(code, oneLine(fromServer ? message : explain(code, message, context)), {
    requestId: context.requestId,
    ...(code === 'UNAVAILABLE' ? { reason: 'UNREACHABLE' } : {}),
    ...details,
    cause: error,
  });
}

/** A server that is shut down at once resets its streams with CANCEL; other resets come as INTERNAL. */
function isLostConnection({ code, details }: ServiceError): boolean {
  return code === status.UNAVAILABLE || code === status.CANCELLED || BROKEN_STREAM.test(details);
}

/** Errors of gRPC itself come without details of ours; these say what they mean. */
function explain(
  code: ErrorCode,
  details: string,
  { method, service, address, timeout }: CallContext,
): string {
  switch (code) {
    case 'UNAVAILABLE':
      return `no answer from the ${SERVICES[service].name} at ${address}: ${connectionProblem(details)}`;
    case 'DEADLINE_EXCEEDED':
      return timeout === undefined ? details : `${method} got no answer from ${address} within ${timeout} ms`;
    case 'UNIMPLEMENTED':
      return `the server at ${address} does not know ${method}: it is not a ${SERVICES[service].kind}, or it is older than this SDK`;
    default:
      return details;
  }
}

/** How messages call them. */
const SERVICES = {
  trainer: { name: 'Glocal server', kind: 'Glocal trainer' },
  dmd: { name: 'DMD service', kind: 'DMD service' },
} as const;

function readDetails(error: ServiceError): Details {
  const [trailer] = error.metadata?.get('grpc-status-details-bin') ?? [];
  if (!(trailer instanceof Uint8Array)) return {};
  const sent = Status.decode(trailer).details.map(({ typeUrl, value }) => ({
    type: typeUrl.slice(typeUrl.lastIndexOf('/') + 1),
    value,
  }));
  const details: Details = { details: sent };
  for (const { type, value } of sent) {
    switch (type) {
      case 'google.rpc.ErrorInfo':
        details.reason = ErrorInfo.decode(value).reason;
        break;
      case 'google.rpc.RequestInfo':
        details.requestId = RequestInfo.decode(value).requestId;
        break;
      case 'google.rpc.RetryInfo': {
        const { retryDelay } = RetryInfo.decode(value);
        if (retryDelay !== undefined) details.retryDelay = milliseconds(retryDelay);
        break;
      }
      case 'google.rpc.BadRequest':
        details.fieldViolations = BadRequest.decode(value).fieldViolations.map(({ field, description }) => ({
          field: fieldPath(field),
          description: asCallersWrite(description),
        }));
        break;
    }
  }
  return details;
}
