/** Files and folders that commands are told to write. */

import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { CommandError, NOT_THERE } from './exit.ts';

/**
 * @param where the flag or argument that says where.
 * @throws CommandError that names it, where nothing can be written there
 */
export async function writing<T>(where: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    // Only what the system answers has one.
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new CommandError(`${where}: ${(error as Error).message}`, NOT_THERE);
  }
}

/**
 * Makes a folder, with those above it, unless it is there. `mkdir` with `recursive` never returns below /proc, where the system says ENOENT
 * although the folder above exists.
 */
export async function makeFolder(path: string): Promise<void> {
  const folder = resolve(path);
  try {
    await mkdir(folder);
  } catch (error) {
    const above = dirname(folder);
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && !(await isFolder(above))) {
      await makeFolder(above);
      return makeFolder(folder);
    }
    if (!(await isFolder(folder))) throw error;
  }
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
