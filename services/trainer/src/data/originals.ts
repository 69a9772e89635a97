/** Finds the original files of an idx data set: in `GLOCAL_DATA_DIR`, in the cache, or on the set's own site. */

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from './errors.ts';
import type { LabelledExamples } from './examples.ts';
import { cachedFolder, givenFolder } from './files.ts';
import { type IdxArray, pairExamples, parseIdx, readIdx } from './idx.ts';
import type { Dataset } from './registry.ts';
import { fetchMissing, keep, type LoadOptions } from './sites.ts';
import { allFiles, type DataFile, type IdxSource, type PartFiles } from './sources.ts';

/** Most bytes that a site may send for a file: twice the largest, unpacked. */
const MAX_DOWNLOAD_BYTES = 100e6;

/** Loads an idx data set. */
export async function loadIdx(source: IdxSource, options: LoadOptions): Promise<Dataset> {
  return {
    train: await loadPart(source, source.train, options),
    test: await loadPart(source, source.test, options),
  };
}

async function loadPart(
  source: IdxSource,
  { images, labels }: PartFiles,
  options: LoadOptions,
): Promise<LabelledExamples> {
  const { inputShape, classes } = source.info;
  return pairExamples(
    await readOriginal(source, images, options),
    await readOriginal(source, labels, options),
    { shape: inputShape, classes },
  );
}

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
  const given = lyingIn(givenFolder(source.info.id), file);
  if (given !== undefined) return readChecked(given, file);
  return (await readCached(source, file, options)) ?? (await fetchOriginal(source, file, options));
}

/** The file in a folder, compressed or not, whatever is in it. */
const lyingIn = (folder: string | undefined, { name }: DataFile): string | undefined =>
  folder === undefined
    ? undefined
    : [join(folder, name), join(folder, name.replace(/\.gz$/, ''))].find((path) => existsSync(path));

/** Files of a set that are not on this machine. */
export function missingIdxFiles(source: IdxSource): readonly string[] {
  const { id } = source.info;
  const folders = source.folder === undefined ? [givenFolder(id), cachedFolder(id)] : [source.folder];
  return allFiles(source)
    .filter((file) => folders.every((folder) => lyingIn(folder, file) === undefined))
    .map(({ name }) => name);
}

/** What a user without a network would bring. */
export const expectedIdxFiles = (source: IdxSource): string =>
  `${allFiles(source)
    .map(({ name }) => name)
    .join(', ')} (or the same files unpacked, without .gz)`;

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
  const path = lyingIn(cachedFolder(source.info.id), file);
  if (path === undefined) return undefined;
  try {
    return await readChecked(path, file);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    log(`${error.message}; downloading it again`);
    return undefined;
  }
}

function fetchOriginal(source: IdxSource, file: DataFile, options: LoadOptions): Promise<IdxArray> {
  const { id } = source.info;
  const missing = {
    id,
    name: file.name,
    published: file.name,
    maxBytes: MAX_DOWNLOAD_BYTES,
    sites: source.sites,
    expected: expectedIdxFiles(source),
  };
  return fetchMissing(missing, options, async (content, url) => {
    const original = checked(await parseIdx(content, url, file.rank), file);
    await keep(join(cachedFolder(id), file.name), content, options.log);
    return original;
  });
}
