import { OuterStep } from '@glocal/proto/glocal/v1/study';
import { describe, expect, it } from 'vitest';
import { FieldError } from '../resource/errors.ts';
import { pageBySize, pageSize, pageToken, parseNumberToken, parsePageToken } from './pages.ts';

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

describe('a page of outer steps', () => {
  const MEGABYTE = 1024 * 1024;
  const step = (index: number, megabytes: number) =>
    OuterStep.fromPartial({ index, window: { hypergradients: Buffer.alloc(megabytes * MEGABYTE) } });
  const indices = (page: readonly OuterStep[]) => page.map(({ index }) => index);

  it('has as many as were asked for, and says whether there are more', () => {
    const records = [step(1, 0), step(2, 0), step(3, 0)];
    const { page, more } = pageBySize(records, 2);
    expect({ page: indices(page), more }).toEqual({ page: [1, 2], more: true });
    expect(pageBySize(records, 3)).toEqual({ page: records, more: false });
    expect(pageBySize([], 3)).toEqual({ page: [], more: false });
  });

  it('ends before it would pass the limit of a message', () => {
    const { page, more } = pageBySize(
      [1, 2, 3, 4].map((index) => step(index, 1)),
      4,
    );
    expect({ page: indices(page), more }).toEqual({ page: [1, 2], more: true });
  });

  it('has at least one, however large', () => {
    const { page, more } = pageBySize([step(1, 5), step(2, 5)], 2);
    expect({ page: indices(page), more }).toEqual({ page: [1], more: true });
  });
});
