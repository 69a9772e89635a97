import { expect, it, vi } from 'vitest';
import { newId } from './ids.ts';

it('an id is a ULID, and there is no other like it', () => {
  const ids = Array.from({ length: 10_000 }, newId);
  for (const id of ids) expect(id).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
  expect(new Set(ids).size).toBe(ids.length);
});

it('ids sort by the time at which they were made', () => {
  vi.useFakeTimers();
  try {
    const ids = Array.from({ length: 1_000 }, (_, ms) => {
      vi.setSystemTime(ms);
      return newId();
    });
    expect(ids.toSorted()).toEqual(ids);
  } finally {
    vi.useRealTimers();
  }
});
