/** The built page: a few files, read once, each with its type. */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** A file of the page. */
export interface PageFile {
  readonly type: string;
  readonly content: Uint8Array<ArrayBuffer>;
  /** The same, compressed. */
  readonly gzipped: Uint8Array<ArrayBuffer>;
  readonly etag: string;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
};

/** Where the page of this program is: of its sources where it has been built, else beside what is published. */
export const pageFolder = (program: string): string =>
  join(dirname(program), program.endsWith('.ts') ? '../../dist/page' : '../page');

/** All files of the page, by their paths. @throws Error when it has not been built */
export function readPage(folder = pageFolder(import.meta.filename)): ReadonlyMap<string, PageFile> {
  try {
    return readFolder(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error('the dashboard has no page: `npm run page --workspace dashboard` builds it');
  }
}

function readFolder(folder: string): ReadonlyMap<string, PageFile> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return new Map(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const content = new Uint8Array(readFileSync(path));
      const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
      const type = TYPES[extname(entry.name)] ?? 'application/octet-stream';
      const gzipped = new Uint8Array(gzipSync(content));
      return [path.slice(folder.length), { type, content, gzipped, etag }];
    }),
  );
}
