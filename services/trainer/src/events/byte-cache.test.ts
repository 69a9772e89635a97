import { describe, expect, it } from 'vitest';
import { ByteCache } from './byte-cache.ts';

const value = (length: number) => ({ bytes: Buffer.alloc(length) });

describe('a cache of bytes', () => {
  it('holds as many bytes as it may, and lets go of what was not used for longest', () => {
    const cache = new ByteCache(100);
    cache.set('a', value(40));
    cache.set('b', value(40));
    expect(cache.get('a')).toBeDefined();
    cache.set('c', value(40));
    expect(['a', 'b', 'c'].map((key) => cache.get(key) !== undefined)).toEqual([true, false, true]);
    expect(cache.bytes).toBe(80);
  });

  it('does not hold what is larger than itself, and counts what is replaced once', () => {
    const cache = new ByteCache(100);
    cache.set('a', value(60));
    cache.set('b', value(101));
    expect(cache.get('b')).toBeUndefined();
    cache.set('a', value(70));
    expect(cache.bytes).toBe(70);
  });
});
