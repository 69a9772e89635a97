/** What every store of objects does, as tests: called by the test of each implementation. */

import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ObjectStore } from './store.ts';

/** More than goes in one request to a store elsewhere. */
const LARGE = 37 * 1024 * 1024 + 5;

/**
 * @param open an empty one.
 * @param isWhole false of one that is only for tests: it shows objects while they are being put, and lists no more than 1,000.
 */
export function objectStoreContract(open: () => Promise<ObjectStore>, isWhole = true): void {
  let objects: ObjectStore;
  let folder: string;
  beforeEach(async () => {
    objects = await open();
    folder = await mkdtemp(join(tmpdir(), 'glocal-objects-'));
  });
  afterEach(async () => {
    objects.close();
    await rm(folder, { recursive: true });
  });

  const keys = async (prefix: string) =>
    (await Array.fromAsync(objects.list(prefix))).map(({ key }) => key).sort();
  const sum = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

  describe('a store of objects', () => {
    it('gives back what was put, byte for byte, empty objects too', async () => {
      const bytes = randomBytes(100_003);
      await objects.put('a/0/1.ckpt', bytes);
      await objects.put('a/0/empty', new Uint8Array());
      expect(Buffer.compare((await objects.get('a/0/1.ckpt')) ?? Buffer.of(), bytes)).toBe(0);
      expect((await objects.get('a/0/empty'))?.length).toBe(0);
    });

    it('puts a part of a larger buffer as that part', async () => {
      await objects.put('part', Buffer.from('0123456789').subarray(2, 5));
      expect(Buffer.from((await objects.get('part')) ?? []).toString()).toBe('234');
    });

    it('replaces an object of the same key', async () => {
      await objects.put('a/1', Buffer.from('one, and longer'));
      await objects.put('a/1', Buffer.from('two'));
      expect(Buffer.from((await objects.get('a/1')) ?? []).toString()).toBe('two');
      expect(await keys('')).toEqual(['a/1']);
    });

    it('knows no object that was never put', async () => {
      expect(await objects.get('a/0/7')).toBeUndefined();
      expect(await objects.getFile('a/0/7', join(folder, 'none'))).toBe(false);
      expect(await keys('')).toEqual([]);
      expect(await keys('a/0/')).toEqual([]);
      await objects.remove('a/0/7');
      await objects.removeAll('a/');
      await objects.check();
    });

    it('takes and gives files, small ones, empty ones, and such as go in parts', async () => {
      for (const [name, size] of Object.entries({ small: 1_000, empty: 0, large: LARGE })) {
        const bytes = randomBytes(size);
        await writeFile(join(folder, name), bytes);
        await objects.putFile(`files/${name}`, join(folder, name));
        expect(await objects.getFile(`files/${name}`, join(folder, `${name}.back`))).toBe(true);
        expect(sum(await readFile(join(folder, `${name}.back`)))).toBe(sum(bytes));
      }
    });

    it('takes a buffer that goes in parts', async () => {
      const bytes = randomBytes(LARGE);
      await objects.put('large', bytes);
      expect(sum((await objects.get('large')) ?? Buffer.of())).toBe(sum(bytes));
    });

    it('writes over no file', async () => {
      await objects.put('a', Buffer.from('object'));
      await writeFile(join(folder, 'there'), 'file');
      await expect(objects.getFile('a', join(folder, 'there'))).rejects.toThrow('EEXIST');
      expect(await readFile(join(folder, 'there'), 'utf8')).toBe('file');
    });

    it('lists what is below a prefix, with sizes and times', async () => {
      const start = Date.now();
      for (const key of ['s1/0/1.ckpt', 's1/0/2.ckpt', 's1/1/1.ckpt', 's1/10/1.ckpt', 's10/0/1.ckpt']) {
        await objects.put(key, Buffer.from(key));
      }
      expect(await keys('s1/')).toEqual(['s1/0/1.ckpt', 's1/0/2.ckpt', 's1/1/1.ckpt', 's1/10/1.ckpt']);
      expect(await keys('s1/1/')).toEqual(['s1/1/1.ckpt']);
      expect(await keys('')).toHaveLength(5);
      const [first] = await Array.fromAsync(objects.list('s1/1/'));
      expect(first?.bytes).toBe('s1/1/1.ckpt'.length);
      // Stores elsewhere tell whole seconds.
      expect(first?.modified.getTime()).toBeGreaterThanOrEqual(start - 1_000);
    });

    it('removes an object, and all below a prefix, and no other', async () => {
      for (const key of ['a/0/1', 'a/0/2', 'a/1/1', 'a/10/1', 'ab/0/1']) await objects.put(key, Buffer.of(1));
      await objects.remove('a/0/1');
      expect(await keys('')).toEqual(['a/0/2', 'a/1/1', 'a/10/1', 'ab/0/1']);
      await objects.removeAll('a/1/');
      expect(await keys('')).toEqual(['a/0/2', 'a/10/1', 'ab/0/1']);
      await objects.removeAll('a/');
      expect(await keys('')).toEqual(['ab/0/1']);
    });

    it.runIf(isWhole)('lists and removes more than one answer holds', async () => {
      const all = Array.from({ length: 1_050 }, (_, i) => `many/${i}`);
      while (all.length > 0) {
        await Promise.all(all.splice(0, 50).map((key) => objects.put(key, Buffer.of(1))));
      }
      expect(await keys('many/')).toHaveLength(1_050);
      await objects.removeAll('many/');
      expect(await keys('')).toEqual([]);
    });

    it.runIf(isWhole)('has one of several that were put at once, as a whole', async () => {
      const sizes = [1, 2_000, 30_000, 400_000];
      await Promise.all(sizes.map((size) => objects.put('contended', Buffer.alloc(size, size % 251))));
      const found = (await objects.get('contended')) ?? Buffer.of();
      expect(sizes).toContain(found.length);
      expect(new Set(found)).toEqual(new Set([found.length % 251]));
    });
  });
}
