import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ObjectStoreError } from './errors.ts';
import { FolderObjects } from './folder.ts';
import { objectStoreContract } from './object-store-contract.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'glocal-objects-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

objectStoreContract(async () => new FolderObjects(join(folder, 'all')));

describe('objects in a folder', () => {
  it('are files at the paths that their keys name, and nothing else stays', async () => {
    const objects = new FolderObjects(folder);
    await objects.put('a/0/1.ckpt', Buffer.from('abc'));
    expect(readdirSync(folder, { recursive: true }).sort()).toEqual(['a', 'a/0', 'a/0/1.ckpt']);
    expect(statSync(join(folder, 'a/0/1.ckpt')).size).toBe(3);
    await objects.removeAll('a/0/');
    expect(() => readdirSync(folder)).toThrow('ENOENT');
  });

  it('are not there before they are complete; what never was is removed, if it is old enough', async () => {
    const objects = new FolderObjects(folder);
    await objects.put('a/1', Buffer.from('abc'));
    for (const name of ['2.x.incomplete', '3.x.incomplete']) writeFileSync(join(folder, 'a', name), 'ab');
    const hourAgo = new Date(Date.now() - 3_600_000);
    utimesSync(join(folder, 'a', '2.x.incomplete'), hourAgo, new Date(hourAgo.getTime() - 1_000));
    expect((await Array.fromAsync(objects.list(''))).map(({ key }) => key)).toEqual(['a/1']);
    await objects.discardIncomplete('', hourAgo);
    expect(readdirSync(join(folder, 'a')).sort()).toEqual(['1', '3.x.incomplete']);
    await objects.discardIncomplete('a/');
    expect(readdirSync(join(folder, 'a'))).toEqual(['1']);
  });

  it('leave nothing behind where one cannot be written', async () => {
    const objects = new FolderObjects(folder);
    writeFileSync(join(folder, 'a'), 'a file, not a folder');
    await expect(objects.put('a/1', Buffer.from('abc'))).rejects.toThrow();
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('say which setting is wrong where the folder cannot be one', async () => {
    const file = join(folder, 'a file');
    writeFileSync(file, '');
    const failure = new FolderObjects(join(file, 'checkpoints')).check();
    await expect(failure).rejects.toMatchObject({
      failure: 'refused',
      message: expect.stringContaining('--objects'),
    });
    await expect(failure).rejects.toThrow(ObjectStoreError);
  });
});
