import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { CommandError, NOT_THERE } from './exit.ts';
import { writing } from './writing.ts';

it('names the flag where nothing can be written', async () => {
  const inFile = () => mkdir(join(import.meta.filename, 'folder'), { recursive: true });
  await expect(writing('<dir>', inFile)).rejects.toThrow(/^<dir>: ENOTDIR/);
  const nowhere = () => writeFile('/no such folder/schedule.csv', '');
  await expect(writing('--out', nowhere)).rejects.toMatchObject({ exitCode: NOT_THERE });
  await expect(writing('--out', nowhere)).rejects.toThrow(CommandError);
});

it('leaves faults of the program as they are', async () => {
  const fault = new TypeError('a fault');
  await expect(writing('--out', () => Promise.reject(fault))).rejects.toBe(fault);
});
