/** Finds the original files of a data set: in `GLOCAL_DATA_DIR`, in the cache, or on the set's own site. */

import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../backend/native-runtime.ts';
import type { Log } from '../backend/native-wheel.ts';
import { download } from './download.ts';
import { DataError } from './errors.ts';
import { type IdxArray, parseIdx, readIdx } from './idx.ts';
import { allFiles, type DataFile, type IdxSource } from './sources.ts';

export interface LoadOptions {
  /** Takes one line at a time, for people. */
  readonly log: Log;
  /** Ends a download. */
  readonly signal?: AbortSignal | undefined;
}

/** Most bytes that a site may send for a file: twice the largest, unpacked. */
const MAX_DOWNLOAD_BYTES = 100e6;

/**
 * Reads one file of a set. What is not on this machine is downloaded into the cache; a file in the cache that is not
 * the original is fetched again, one in `GLOCAL_DATA_DIR` is an error.
 * @throws DataError, or the signal's reason.
 */
export async function readOriginal(
  source: IdxSource,
  file: DataFile,
  options: LoadOptions,
): Promise<IdxArray> {
  if (source.folder !== undefined) return readChecked(join(source.folder, file.name), file);
  const given = givenFolder(source);
  const found = given && candidates(given, file).find((path) => existsSync(path));
  if (found) return readChecked(found, file);
  return (await readCached(source, file, options)) ?? (await fetchOriginal(source, file, options));
}

/** The user's folder for this set. */
function givenFolder({ info }: IdxSource): string | undefined {
  const folder = process.env.GLOCAL_DATA_DIR;
  return folder ? join(folder, info.id) : undefined;
}

/** Compressed or not. */
const candidates = (folder: string, { name }: DataFile): readonly string[] => [
  join(folder, name),
  join(folder, name.replace(/\.gz$/, '')),
];

const cachedFolder = ({ info }: IdxSource): string => join(cacheFolder(), 'data', info.id);

async function readChecked(path: string, file: DataFile): Promise<IdxArray> {
  return checked(await readIdx(path, file.rank), file);
}

function checked(array: IdxArray, { sha256 }: DataFile): IdxArray {
  const found = createHash('sha256').update(array.bytes).digest('hex');
  if (found !== sha256) {
    throw new DataError(
      'CHECKSUM',
      `${array.file} is not the original: its decompressed bytes have sha256 ${found}; expected ${sha256}`,
    );
  }
  return array;
}

async function readCached(
  source: IdxSource,
  file: DataFile,
  { log }: LoadOptions,
): Promise<IdxArray | undefined> {
  const path = candidates(cachedFolder(source), file).find((candidate) => existsSync(candidate));
  if (path === undefined) return undefined;
  try {
    return await readChecked(path, file);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    log(`${error.message}; downloading it again`);
    return undefined;
  }
}

async function fetchOriginal(source: IdxSource, file: DataFile, options: LoadOptions): Promise<IdxArray> {
  const { log, signal } = options;
  const failures: string[] = [];
  for (const site of source.sites) {
    const url = new URL(file.name, site).href;
    log(`downloading ${url}`);
    try {
      const content = await download(url, { name: file.name, maxBytes: MAX_DOWNLOAD_BYTES, signal });
      const original = checked(await parseIdx(content, url, file.rank), file);
      await keep(join(cachedFolder(source), file.name), content, log);
      return original;
    } catch (error) {
      signal?.throwIfAborted();
      failures.push(`from ${site}: ${reasonOf(error)}`);
    }
  }
  throw unavailable(source, file, failures);
}

/** Puts a file into the cache as a whole or not at all. Where that is impossible, the next run downloads again. */
async function keep(path: string, content: Uint8Array, log: Log): Promise<void> {
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

function unavailable(source: IdxSource, file: DataFile, failures: readonly string[]): DataError {
  const given = givenFolder(source);
  const folders = [given ?? 'GLOCAL_DATA_DIR (not set)', cachedFolder(source)].join(' nor in ');
  const names = allFiles(source).map(({ name }) => name);
  return new DataError(
    'UNAVAILABLE',
    `${source.info.id}: ${file.name} is neither in ${folders}, nor could it be downloaded ` +
      `(${failures.join('; ')}). Without a network, set GLOCAL_DATA_DIR to a folder with a folder ` +
      `${source.info.id} that has ${names.join(', ')} (or the same files unpacked, without .gz)`,
  );
}

/** `fetch` hides the reason in the cause, which may have a code and no message. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return cause.message || ('code' in cause ? String(cause.code) : error.message);
}
