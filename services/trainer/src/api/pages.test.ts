import { describe, expect, it } from 'vitest';
import { FieldError } from '../resource/errors.ts';
import { pageSize, pageToken, parseNumberToken, parsePageToken } from './pages.ts';

describe('the size of a page', () => {
  it.each([
    [0, 50],
    [1, 1],
    [1_000, 1_000],
    [5_000, 1_000],
  ])('is, when %i are asked for, %i', (requested, size) => expect(pageSize(requested)).toBe(size));

  it('is not negative', () => expect(() => pageSize(-1)).toThrow('page_size: -1 is negative'));
});

describe('a page token', () => {
  it.each(['studies/01ab', '12', 'ä/ü'])('brings back the position "%s"', (key) => {
    expect(parsePageToken(pageToken(key))).toBe(key);
  });

  it('is empty for the first page', () => {
    expect(parsePageToken('')).toBeUndefined();
    expect(parseNumberToken('')).toBe(0);
    expect(pageToken(undefined)).toBe('');
  });

  it('brings back a number', () => expect(parseNumberToken(pageToken('12'))).toBe(12));

  it.each(['!', '12', 'a=', ' ', 'x'.repeat(300)])('is refused when it is none: %s', (token) => {
    expect(() => parsePageToken(token)).toThrow(FieldError);
  });

  it.each(['x', '-1', '1.5', '1e3', '9'.repeat(20)])('is refused where a number belongs: %s', (key) => {
    expect(() => parseNumberToken(pageToken(key))).toThrow(FieldError);
  });
});
