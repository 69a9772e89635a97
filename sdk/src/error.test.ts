import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  CancelledError,
  DeadlineExceededError,
  type ErrorCode,
  errorOf,
  GlocalError,
  InvalidArgumentError,
  NotFoundError,
  UnauthenticatedError,
  UnavailableError,
} from './error.ts';

const invalid = new GlocalError('INVALID_ARGUMENT', 'space.lr.init: …', {
  reason: 'SEARCH_SPACE',
  requestId: '01J9',
  fieldViolations: [
    { field: 'space.lr.init', description: '2 is above max (1)' },
    { field: 'method.sigma', description: '8 is too short for delays = 10; at least 11' },
  ],
});

describe('GlocalError', () => {
  it('prints what is wrong field by field', () => {
    expect(String(invalid)).toBe(
      [
        'GlocalError INVALID_ARGUMENT (SEARCH_SPACE) request 01J9',
        '  space.lr.init: 2 is above max (1)',
        '  method.sigma: 8 is too short for delays = 10; at least 11',
      ].join('\n'),
    );
  });

  it('prints anything else in one line', () => {
    expect(String(new GlocalError('NOT_FOUND', 'studies/1 does not exist'))).toBe(
      'GlocalError NOT_FOUND: studies/1 does not exist',
    );
  });

  it('prints the same above the frames of its stack, uncaught or inspected', () => {
    const [first, second, third, frame] = invalid.stack?.split('\n') ?? [];
    expect([first, second, third].join('\n')).toBe(String(invalid));
    expect(frame).toMatch(/^ +at .*error\.test\.ts/);
    expect(inspect(invalid)).toBe(invalid.stack);
  });

  it('is an error, with its cause', () => {
    const cause = new Error('ECONNREFUSED');
    const error = new GlocalError('UNAVAILABLE', 'no answer', { cause, retryDelay: 250 });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'GlocalError', cause, retryDelay: 250, fieldViolations: [] });
  });
});

describe('errorOf', () => {
  it.each<[ErrorCode, new (message: string) => GlocalError]>([
    ['INVALID_ARGUMENT', InvalidArgumentError],
    ['NOT_FOUND', NotFoundError],
    ['UNAUTHENTICATED', UnauthenticatedError],
    ['UNAVAILABLE', UnavailableError],
    ['DEADLINE_EXCEEDED', DeadlineExceededError],
    ['CANCELLED', CancelledError],
  ])('makes one of %s of the class for it, which is a GlocalError too', (code, Class) => {
    const error = errorOf(code, 'no', { reason: 'WHY', requestId: '01J9' });
    expect(error.constructor).toBe(Class);
    expect(error).toBeInstanceOf(GlocalError);
    expect(error).toMatchObject({ code, reason: 'WHY', requestId: '01J9', details: [] });
  });
});

it('a call may succeed later when the server was away or said when to come back', () => {
  const retryable = (code: ErrorCode, retryDelay?: number) => errorOf(code, '', { retryDelay }).retryable;
  expect(retryable('UNAVAILABLE')).toBe(true);
  expect(retryable('RESOURCE_EXHAUSTED', 1)).toBe(true);
  expect(retryable('RESOURCE_EXHAUSTED')).toBe(false);
  expect(retryable('INVALID_ARGUMENT')).toBe(false);
});
