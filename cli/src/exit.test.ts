import { GlocalError } from '@glocal/sdk';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CommandError, NOT_THERE, report } from './exit.ts';

let said = '';
beforeEach(() => {
  said = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += text;
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

const refused = new GlocalError('INVALID_ARGUMENT', 'space.lr.init: is above max', {
  reason: 'STUDY',
  fieldViolations: [{ field: 'space.lr.init', description: 'is above max' }],
});

it('says errors of the server with their fields and without frames', () => {
  expect(report(refused, { json: false })).toBe(65);
  expect(said).toBe('GlocalError INVALID_ARGUMENT (STUDY)\n  space.lr.init: is above max\n');
});

it('says them as one JSON document, for programs', () => {
  report(refused, { json: true });
  expect(JSON.parse(said)).toEqual({
    error: {
      code: 'INVALID_ARGUMENT',
      reason: 'STUDY',
      message: 'space.lr.init: is above max',
      fieldViolations: [{ field: 'space.lr.init', description: 'is above max' }],
    },
  });
});

it('says its own in one line, and nothing where another program has said it', () => {
  expect(report(new CommandError('no such file', NOT_THERE), { json: false })).toBe(66);
  expect(said).toBe('glocal: no such file\n');
  said = '';
  report(new CommandError('', NOT_THERE), { json: true });
  expect(said).toBe('');
});

it('shows where a fault of this program is', () => {
  expect(report(new TypeError('oh'), { json: false })).toBe(70);
  expect(said).toMatch(/^glocal: unexpected error: TypeError: oh\n +at /);
});

it.each([
  ['UNAVAILABLE', 69],
  ['NOT_FOUND', 66],
  ['FAILED_PRECONDITION', 1],
  ['UNAUTHENTICATED', 77],
  ['RESOURCE_EXHAUSTED', 75],
] as const)('%s ends with %i', (code, exitCode) => {
  expect(report(new GlocalError(code, 'x'), { json: false })).toBe(exitCode);
});

it.each(['ADDRESS', 'INSECURE'])('a wrong flag of the connection (%s) is a wrong command line', (reason) => {
  expect(report(new GlocalError('FAILED_PRECONDITION', 'x', { reason }), { json: false })).toBe(64);
});

it('a working folder that is gone is told of in one line', () => {
  const gone = Object.assign(new Error('ENOENT: process.cwd failed'), { code: 'ENOENT', syscall: 'uv_cwd' });
  expect(report(gone, { json: false })).toBe(66);
  expect(said).toBe('glocal: the working folder is not there any more\n');
});
