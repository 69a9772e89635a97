import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { CommandError, NOT_THERE } from './exit.ts';
import { makeFolder, writing } from './writing.ts';

it('names the flag where nothing can be written', async () => {
  const inFile = () => makeFolder(join(import.meta.filename, 'folder'));
  await expect(writing('<dir>', inFile)).rejects.toThrow(/^<dir>: ENOTDIR/);
  const nowhere = () => writeFile('/no such folder/schedule.csv', '');
  await expect(writing('--out', nowhere)).rejects.toMatchObject({ exitCode: NOT_THERE });
  await expect(writing('--out', nowhere)).rejects.toThrow(CommandError);
});

it('leaves faults of the program as they are', async () => {
  const fault = new TypeError('a fault');
  await expect(writing('--out', () => Promise.reject(fault))).rejects.toBe(fault);
});

it('makes a folder with those above it, as often as it is told to', async () => {
  const root = await mkdtemp(join(tmpdir(), 'glocal-'));
  try {
    const nested = join(root, 'many', 'at', 'once');
    await Promise.all(Array.from({ length: 20 }, () => makeFolder(nested)));
    for (const path of [nested, join(root, 'a', 'b'), `${root}/c/`, `${root}/d/.`, `${root}/e/../f`, root]) {
      await makeFolder(path);
      await makeFolder(path);
      expect((await stat(resolve(path))).isDirectory()).toBe(true);
    }
  } finally {
    await rm(root, { recursive: true });
  }
});

it.runIf(process.platform === 'linux')('does not try for ever where no folder can be made', async () => {
  await expect(makeFolder('/proc/self/folder/in/it')).rejects.toThrow(/ENOENT.*\/proc\/self\/folder/);
});

it('takes no file for a folder', async () => {
  await expect(makeFolder(import.meta.filename)).rejects.toThrow(/EEXIST/);
});
