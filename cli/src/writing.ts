/** Files and folders that commands are told to write. */

import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
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
 * Makes a folder, with those above it, unless it is there. `recursive` of Node tries for ever where the system says that what is above is not
 * there although it is, as in /proc.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && dirname(path) !== path) {
      await makeFolder(dirname(path));
      await mkdir(path);
      return;
    }
    const isThere = await stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (!isThere) throw error;
  }
}
