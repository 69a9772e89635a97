/** Texts in users' files: bytes that are UTF-8, or a message that says what they are instead. */

import { DataError } from './errors.ts';
import { openFile, unreadable } from './files.ts';

/** How a file begins that is not text in UTF-8, and what to do about it. */
const FOREIGN: readonly (readonly [beginning: readonly number[], what: string])[] = [
  [[0x1f, 0x8b], 'is compressed with gzip; unpack it first'],
  [[0x50, 0x4b, 0x03, 0x04], 'is a zip archive; unpack it first'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'is compressed with zstd; unpack it first'],
  [[0xfd, 0x37, 0x7a, 0x58], 'is compressed with xz; unpack it first'],
  [[0x42, 0x5a, 0x68], 'is compressed with bzip2; unpack it first'],
  [[0x50, 0x41, 0x52, 0x31], 'is a Parquet file; write it as CSV'],
  [[0xff, 0xfe], 'is text in UTF-16; save it as UTF-8'],
  [[0xfe, 0xff], 'is text in UTF-16; save it as UTF-8'],
];
const LONGEST_BEGINNING = 4;

/**
 * The text of a file, without its byte order mark.
 * @throws DataError FORMAT when it is not UTF-8.
 */
export function decodeText(bytes: Uint8Array, file: string): string {
  checkBeginning(bytes, file);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataError('FORMAT', `${file} is not text in UTF-8; save it as UTF-8`, { cause });
  }
}

/**
 * Looks at the first bytes of a file that is about to be read as text.
 * @throws DataError UNREADABLE; FORMAT when it is surely something else.
 */
export async function checkIsText(file: string): Promise<void> {
  const bytes = new Uint8Array(LONGEST_BEGINNING);
  try {
    await using handle = await openFile(file);
    await handle.read(bytes);
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw unreadable(file, error);
  }
  checkBeginning(bytes, file);
}

function checkBeginning(bytes: Uint8Array, file: string): void {
  for (const [beginning, what] of FOREIGN) {
    if (beginning.every((byte, i) => bytes[i] === byte)) throw new DataError('FORMAT', `${file} ${what}`);
  }
  // A letter of ASCII and its other half: UTF-16 without a byte order mark.
  const [first = 0, second = 0] = bytes;
  if (bytes.length >= 2 && (first === 0) !== (second === 0)) {
    throw new DataError('FORMAT', `${file} is text in UTF-16; save it as UTF-8`);
  }
}
