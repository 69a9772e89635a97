/** Reads single entries of zip files. */

import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import type { Entry } from 'yauzl';
import { openZip, type ZipReader } from '../backend/zip.ts';
import { DataError } from './errors.ts';
import { unreadable } from './files.ts';

/**
 * Unpacks one entry.
 * @param maxBytes what it may unpack to.
 * @throws DataError UNREADABLE, CORRUPT, SIZE, or FORMAT naming the entries that there are.
 */
export async function readZipEntry(file: string, name: string, maxBytes: number): Promise<Uint8Array> {
  const zip = await openZip(file).catch((error: unknown) => {
    throw isSystemError(error) ? unreadable(file, error) : damaged(file, error);
  });
  try {
    const names: string[] = [];
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName === name) return await unpack(zip, entry, { file, maxBytes });
      names.push(entry.fileName);
    }
    throw new DataError('FORMAT', `${file} has no ${name}; it has ${names.join(', ') || 'nothing'}`);
  } catch (error) {
    throw error instanceof DataError ? error : damaged(file, error);
  } finally {
    zip.close();
  }
}

async function unpack(
  zip: ZipReader,
  entry: Entry,
  { file, maxBytes }: { readonly file: string; readonly maxBytes: number },
): Promise<Uint8Array> {
  const { fileName, uncompressedSize } = entry;
  if (uncompressedSize > maxBytes) {
    throw new DataError(
      'SIZE',
      `${file} announces ${uncompressedSize} bytes for ${fileName}; expected at most ${maxBytes}`,
    );
  }
  // It breaks off by itself when there is more than announced.
  const content = await buffer(await zip.openReadStreamPromise(entry));
  if (crc32(content) !== entry.crc32) throw damaged(file, `${fileName} has another checksum than announced`);
  return content;
}

const isSystemError = (error: unknown): boolean => error instanceof Error && 'syscall' in error;

const damaged = (file: string, cause: unknown): DataError =>
  new DataError(
    'CORRUPT',
    `${file} is damaged or no zip file: ${cause instanceof Error ? cause.message : cause}`,
    { cause },
  );
