import { describe, expect, it } from 'vitest';
import { FieldError } from '../resource/errors.ts';
import { PageTokens, pageSize } from './pages.ts';

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
  const tokens = new PageTokens('trials', 'studies/a');

  it.each(['studies/01ab', '12', 'ä/ü', ''])('brings back the position "%s"', (key) => {
    expect(tokens.parse(tokens.make(key))).toBe(key);
  });

  it('is empty for the first page, and where there is no next one', () => {
    expect(tokens.parse('')).toBeUndefined();
    expect(tokens.parseNumber('')).toBe(0);
    expect(tokens.make(undefined)).toBe('');
  });

  it('brings back a number', () => expect(tokens.parseNumber(tokens.make(12))).toBe(12));

  it('is the same for the same list, and refused for another', () => {
    expect(new PageTokens('trials', 'studies/a').parse(tokens.make('1'))).toBe('1');
    for (const other of [['trials', 'studies/b'], ['outerSteps', 'studies/a'], ['trials'], []]) {
      expect(() => new PageTokens(...other).parse(tokens.make('1'))).toThrow(
        'was not given out for this list',
      );
    }
  });

  it.each(['!', '12', 'a=', ' ', 'x'.repeat(300)])('is refused when it is none: %s', (token) => {
    expect(() => tokens.parse(token)).toThrow(FieldError);
  });

  it.each(['x', '-1', '1.5', '1e3', '9'.repeat(20)])('is refused where a number belongs: %s', (key) => {
    expect(() => tokens.parseNumber(tokens.make(key))).toThrow(FieldError);
  });
});
