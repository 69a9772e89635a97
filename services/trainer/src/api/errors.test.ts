import { BadRequest, ErrorInfo, RequestInfo, RetryInfo } from '@glocal/proto/google/rpc/error_details';
import { Status } from '@glocal/proto/google/rpc/status';
import { type Metadata, status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FieldError } from '../resource/errors.ts';
import { anyText } from '../resource/testing.ts';
import { AuthenticationError, KeysUnavailableError } from '../security/errors.ts';
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

/** Bytes of all trailers, as HTTP/2 counts them, with those that grpc-js adds. */
function trailerBytes(message: string, metadata: Metadata): number {
  const headers = {
    ':status': '200',
    date: new Date(0).toUTCString(),
    'content-type': 'application/grpc+proto',
    'grpc-status': '13',
    'grpc-message': encodeURI(message),
    ...metadata.toHttp2Headers(),
  };
  return Object.entries(headers).reduce(
    (sum, [name, value]) => sum + name.length + `${value}`.length + 32,
    0,
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

  it('says why a caller is not admitted, and when to come again where it is not their fault', () => {
    const refused = ApiError.from(new AuthenticationError('NO_TOKEN', 'send one')) as ApiError;
    expect(refused).toMatchObject({ code: status.UNAUTHENTICATED, reason: 'NO_TOKEN', message: 'send one' });
    expect([...details(refused).keys()]).toEqual(['ErrorInfo', 'RequestInfo']);
    const later = ApiError.from(new KeysUnavailableError('try again')) as ApiError;
    expect(later).toMatchObject({ code: status.UNAVAILABLE, reason: 'KEYS_UNAVAILABLE' });
    expect([...details(later).keys()]).toEqual(['ErrorInfo', 'RequestInfo', 'RetryInfo']);
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

  it('has trailers below 4 KiB, and a message that can be sent, whatever it says', () => {
    const junk = fc.oneof(
      anyText(3_000),
      fc.constantFrom(
        'x'.repeat(70_000),
        'é'.repeat(20_000),
        '%'.repeat(20_000),
        '😀'.repeat(9_000),
        '\ud800'.repeat(9_000),
      ),
    );
    const violation = fc.record({ field: junk, description: junk });
    const violations = fc.array(violation, { maxLength: 20 });
    fc.assert(
      fc.property(junk, violations, fc.boolean(), (message, wrong, asFieldError) => {
        const retryAfterMs = 1_250;
        const error = asFieldError
          ? (ApiError.from(new FieldError('SEARCH_SPACE', wrong)) as ApiError)
          : new ApiError(status.INTERNAL, 'R'.repeat(40), message, { violations: wrong, retryAfterMs });
        const { details: text, metadata } = toServiceError(error, 'x'.repeat(128));
        expect(trailerBytes(text as string, metadata as Metadata)).toBeLessThan(4_096);
      }),
      { numRuns: 50 },
    );
  });

  it('has the violations that fit, in details and message, and says how many more there are', () => {
    const violations = Array.from({ length: 500 }, (_, i) => ({ field: `a[${i}]`, description: 'is wrong' }));
    const error = ApiError.from(new FieldError('STUDY', violations)) as ApiError;
    const { details: message, metadata } = toServiceError(error, 'request-1');
    const [trailer] = metadata?.get('grpc-status-details-bin') ?? [];
    const found = Status.decode(trailer as Buffer).details.find(({ typeUrl }) =>
      typeUrl.endsWith('BadRequest'),
    );
    const { fieldViolations } = BadRequest.decode(found?.value as Buffer);
    const last = fieldViolations.pop();
    expect(fieldViolations.length).toBeGreaterThan(20);
    expect(fieldViolations).toMatchObject(violations.slice(0, fieldViolations.length));
    expect(last).toMatchObject({ field: '', description: `and ${500 - fieldViolations.length} more` });
    expect(message).toMatch(/^a\[0\]: is wrong; a\[1\]: is wrong; /);
  });

  it('keeps its cause', () => {
    const cause = new Error('below');
    expect(new ApiError(status.INTERNAL, 'X', 'above', { cause }).cause).toBe(cause);
  });
});
