/** Fetches what a data set's own sites publish, and keeps it in the cache. */

import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Log } from '../backend/native-wheel.ts';
import { download } from './download.ts';
import { DataError } from './errors.ts';
import { cachedFolder, givenFolder } from './files.ts';

export interface LoadOptions {
  /** Takes one line at a time, for people. */
  readonly log: Log;
  /** Ends a download. */
  readonly signal?: AbortSignal | undefined;
}

/** A file that is not on this machine. */
export interface MissingFile {
  /** The data set's id. */
  readonly id: string;
  readonly name: string;
  /** What has it on the sites: its own name, or that of an archive. */
  readonly published: string;
  /** Most bytes of that. */
  readonly maxBytes: number;
  /** Folders on the set's own sites, tried in this order. */
  readonly sites: readonly string[];
  /** What a user without a network would put into `GLOCAL_DATA_DIR/<id>`. */
  readonly expected: string;
}

/**
 * Downloads from the first site that has what is expected.
 * @param accept checks the bytes that came from an address, and makes something of them.
 * @throws DataError UNAVAILABLE saying where it looked and what can be done; or the signal's reason.
 */
export async function fetchMissing<T>(
  missing: MissingFile,
  { log, signal }: LoadOptions,
  accept: (content: Uint8Array, url: string) => Promise<T>,
): Promise<T> {
  const { published, maxBytes } = missing;
  const failures: string[] = [];
  for (const site of missing.sites) {
    const url = new URL(published, site).href;
    log(`downloading ${url}`);
    try {
      return await accept(await download(url, { name: published, maxBytes, signal }), url);
    } catch (error) {
      signal?.throwIfAborted();
      failures.push(`from ${site}: ${reasonOf(error)}`);
    }
  }
  throw unavailable(missing, failures);
}

/** Puts a file into the cache as a whole or not at all. Where that is impossible, the next run downloads again. */
export async function keep(path: string, content: Uint8Array, log: Log): Promise<void> {
  const part = `${path}.${randomUUID()}`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(part, content);
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true }).catch(() => {});
    log(`${path} could not be kept: ${reasonOf(error)}`);
  }
}

function unavailable({ id, name, expected }: MissingFile, failures: readonly string[]): DataError {
  const folders = [givenFolder(id) ?? 'GLOCAL_DATA_DIR (not set)', cachedFolder(id)].join(' nor in ');
  return new DataError(
    'UNAVAILABLE',
    `${id}: ${name} is neither in ${folders}, nor could it be downloaded (${failures.join('; ')}). Without a network, ` +
      `set GLOCAL_DATA_DIR to a folder with a folder ${id} that has ${expected}`,
  );
}

/** `fetch` hides the reason in the cause, which may have a code and no message. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return cause.message || ('code' in cause ? String(cause.code) : error.message);
}
