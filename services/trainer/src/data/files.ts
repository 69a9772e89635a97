/** Files of data on this machine: where they lie, and how they are read. */

import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { cacheFolder } from '../backend/native-runtime.ts';
import { DataError } from './errors.ts';

/** Most bytes of a file, unpacked: 20 times the largest of the well-known idx sets. */
export const MAX_FILE_BYTES = 1024 ** 3;

/** The user's folder for a set, in `GLOCAL_DATA_DIR`; undefined when that is not set. */
export function givenFolder(id: string): string | undefined {
  const folder = process.env.GLOCAL_DATA_DIR;
  return folder ? join(folder, id) : undefined;
}

/** Where what is downloaded for a set is kept. */
export const cachedFolder = (id: string): string => join(cacheFolder(), 'data', id);

/**
 * Reads a whole file.
 * @param maxBytes what no good file is larger than.
 * @throws DataError UNREADABLE or SIZE.
 */
export async function readBytes(file: string, maxBytes: number): Promise<Buffer> {
  try {
    await using handle = await openFile(file);
    const { size } = await handle.stat();
    if (size > maxBytes) {
      throw new DataError('SIZE', `${file} has ${size} bytes; expected at most ${maxBytes}`);
    }
    return await handle.readFile();
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw unreadable(file, error);
  }
}

/**
 * Whether a path that a user's file names leads into its folder, by its text and where links lead.
 * @throws DataError UNREADABLE when there is nothing.
 */
export async function isInside(folder: string, path: string): Promise<boolean> {
  const file = join(folder, path);
  if (isAbsolute(path) || !isBelow(folder, file)) return false;
  const [root, real] = await Promise.all([realpath(folder), realpath(file)]).catch((cause: unknown) => {
    throw unreadable(file, cause);
  });
  return isBelow(root, real);
}

function isBelow(folder: string, file: string): boolean {
  const way = relative(folder, file);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/**
 * Opens a file to read it. A pipe or a device, which may never end or never begin, is refused unopened.
 * @throws DataError UNREADABLE, or what the system says.
 */
export async function openFile(file: string): Promise<FileHandle> {
  if (!(await stat(file)).isFile()) throw unreadable(file, new Error('it is not a regular file'));
  return open(file);
}

export function unreadable(file: string, cause: unknown): DataError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new DataError('UNREADABLE', `${file} cannot be read (${why})`, { cause });
}
