/** yauzl's promises, which its type declarations lack. */

import type { Readable } from 'node:stream';
import yauzl, { type Entry } from 'yauzl';

/** An open zip file. */
export interface ZipReader {
  eachEntry(): AsyncIterable<Entry>;
  openReadStreamPromise(entry: Entry): Promise<Readable>;
  close(): void;
}

/** @throws Error of the system, or of yauzl when it is not a zip file. */
export const { openPromise: openZip } = yauzl as unknown as { openPromise(file: string): Promise<ZipReader> };
