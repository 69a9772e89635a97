/** Errors of calls below the SDK, with the details that they carry. */

import { BadRequest, ErrorInfo, RequestInfo } from '@glocal/proto/google/rpc/error_details';
import { Status } from '@glocal/proto/google/rpc/status';
import type { ServiceError } from '@grpc/grpc-js';
import { expect } from 'vitest';
import { rejection } from './rejection.ts';

/** The error of a call, with its details. */
export async function refusal(call: Promise<unknown>) {
  const error = await rejection<ServiceError>(call);
  const [trailer] = error.metadata.get('grpc-status-details-bin');
  expect(trailer, 'google.rpc.Status in the trailer').toBeInstanceOf(Buffer);
  const { code, message, details } = Status.decode(trailer as Buffer);
  expect({ code, message }, 'the Status says what the call says').toEqual({
    code: error.code,
    message: error.details,
  });
  const detail = (type: string) =>
    details.find(({ typeUrl }) => typeUrl === `type.googleapis.com/google.rpc.${type}`)?.value ??
    Buffer.alloc(0);
  return {
    code: error.code,
    message: error.details,
    reason: ErrorInfo.decode(detail('ErrorInfo')).reason,
    requestId: RequestInfo.decode(detail('RequestInfo')).requestId,
    violations: BadRequest.decode(detail('BadRequest')).fieldViolations,
  };
}
