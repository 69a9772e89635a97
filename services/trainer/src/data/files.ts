/** Files of data on this machine: where they lie, and how they are read. */

import { open } from 'node:fs/promises';
import { join } from 'node:path';
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
    await using handle = await open(file);
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

export function unreadable(file: string, cause: unknown): DataError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new DataError('UNREADABLE', `${file} cannot be read (${why})`, { cause });
}
