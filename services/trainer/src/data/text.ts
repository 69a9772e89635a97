/** Texts in users' files: their encoding, and how messages quote them. */

import { open } from 'node:fs/promises';
import { DataError } from './errors.ts';
import { unreadable } from './files.ts';

/** How a file begins that is not text in UTF-8, and what to do about it. */
const FOREIGN: readonly (readonly [beginning: readonly number[], what: string])[] = [
  [[0x1f, 0x8b], 'is compressed with gzip; unpack it first'],
  [[0x50, 0x4b, 0x03, 0x04], 'is a zip archive; unpack it first'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'is compressed with zstd; unpack it first'],
  [[0x50, 0x41, 0x52, 0x31], 'is a Parquet file; write it as CSV'],
  [[0xff, 0xfe], 'is text in UTF-16; save it as UTF-8'],
  [[0xfe, 0xff], 'is text in UTF-16; save it as UTF-8'],
];
const LONGEST_BEGINNING = 4;
const LONGEST_QUOTE = 40;
const MOST_NAMES = 10;

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
    await using handle = await open(file);
    await handle.read(bytes);
  } catch (error) {
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

/** Text in quotation marks for a message: cut, and without control characters. */
export function quoted(text: string): string {
  const characters = [...text];
  const cut = characters.length > LONGEST_QUOTE ? `${characters.slice(0, LONGEST_QUOTE).join('')}…` : text;
  return JSON.stringify(cut);
}

/** Text for a message on one line: its control characters as `\u` escapes. */
export const printable = (text: string): string =>
  text.replace(/\p{Cc}/gu, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Names for a message: the first ones, and how many there are besides. */
export function listed(names: readonly string[]): string {
  const shown = names
    .slice(0, MOST_NAMES)
    .map((name) => (name === '' ? '""' : name))
    .join(', ');
  return names.length > MOST_NAMES ? `${shown} and ${names.length - MOST_NAMES} more` : shown;
}
