/** Files that commands are told to write. */

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
