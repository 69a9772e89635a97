import { BadRequest, ErrorInfo, RequestInfo, RetryInfo } from '@glocal/proto/google/rpc/error_details';
import { Status } from '@glocal/proto/google/rpc/status';
import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { FieldError } from '../resource/errors.ts';
import { ApiError, toServiceError } from './errors.ts';

/** The details of an error by the name of their type. */
function details(error: ApiError): Map<string, Buffer> {
  const [trailer] = toServiceError(error, 'request-1').metadata?.get('grpc-status-details-bin') ?? [];
  const decoded = Status.decode(trailer as Buffer);
  expect(decoded).toMatchObject({ code: error.code, message: error.message });
  return new Map(
    decoded.details.map(({ typeUrl, value }) => [
      typeUrl.replace('type.googleapis.com/google.rpc.', ''),
      value,
    ]),
  );
}

describe('an error of the API', () => {
  it('has code, message, reason and request', () => {
    const error = new ApiError(status.ABORTED, 'TOO_LATE', 'it is over');
    expect(toServiceError(error, 'request-1')).toMatchObject({ code: status.ABORTED, details: 'it is over' });
    const found = details(error);
    expect([...found.keys()]).toEqual(['ErrorInfo', 'RequestInfo']);
    expect(ErrorInfo.decode(found.get('ErrorInfo') as Buffer)).toMatchObject({
      reason: 'TOO_LATE',
      domain: 'glocal',
    });
    expect(RequestInfo.decode(found.get('RequestInfo') as Buffer).requestId).toBe('request-1');
  });

  it('says in its message, too, what is wrong field by field', () => {
    const violations = [
      { field: 'a', description: 'is wrong' },
      { field: 'b.c', description: 'is missing' },
    ];
    const error = ApiError.from(new FieldError('STUDY', violations)) as ApiError;
    expect(error).toMatchObject({
      code: status.INVALID_ARGUMENT,
      message: 'a: is wrong; b.c: is missing',
    });
    const { fieldViolations } = BadRequest.decode(details(error).get('BadRequest') as Buffer);
    expect(fieldViolations).toMatchObject(violations);
  });

  it.each([
    [5_000, { seconds: 5n, nanos: 0 }],
    [1_250, { seconds: 1n, nanos: 250_000_000 }],
    [0.5, { seconds: 0n, nanos: 500_000 }],
  ])('says to the nanosecond after how many milliseconds to come again: %d', (retryAfterMs, retryDelay) => {
    const error = new ApiError(status.RESOURCE_EXHAUSTED, 'BUSY', 'busy', { retryAfterMs });
    expect(RetryInfo.decode(details(error).get('RetryInfo') as Buffer).retryDelay).toEqual(retryDelay);
  });

  it('keeps its cause', () => {
    const cause = new Error('below');
    expect(new ApiError(status.INTERNAL, 'X', 'above', { cause }).cause).toBe(cause);
  });
});
