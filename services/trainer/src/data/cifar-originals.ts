/** Finds the original files of a CIFAR set: in `GLOCAL_DATA_DIR`, in the cache, or in the archive on the set's own site. */

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { parseTar } from 'nanotar';
import { type CifarFile, checkBalanced, parseCifar, recordBytes } from './cifar.ts';
import { DataError } from './errors.ts';
import type { LabelledExamples } from './examples.ts';
import { cachedFolder, givenFolder, readBytes } from './files.ts';
import type { Dataset } from './registry.ts';
import { fetchMissing, keep, type LoadOptions } from './sites.ts';
import type { CifarPart, CifarSource, RecordFile } from './sources.ts';

/** Most bytes of an archive, packed or not: twice the larger one. */
const MAX_ARCHIVE_BYTES = 400e6;

/**
 * Loads a CIFAR set. An archive that is downloaded is unpacked into the cache. A training file must be the original. A test
 * file that is not is logged and used, if all of its records are in order: some copies of CIFAR-10's have images that went
 * through JPEG.
 * @throws DataError, or the signal's reason.
 */
export async function loadCifar(source: CifarSource, options: LoadOptions): Promise<Dataset> {
  let archive: Promise<ReadonlyMap<string, CifarFile>> | undefined;
  const read = async (part: CifarPart, name: string): Promise<CifarFile> => {
    const given = givenFile(source, name);
    if (given !== undefined) return { file: given, bytes: await readBytes(given, partBytes(source, part)) };
    const cached = await readCached(source, part, name, options);
    if (cached !== undefined) return cached;
    archive ??= fetchArchive(source, name, options);
    return (await archive).get(name) as CifarFile;
  };
  const load = async (part: CifarPart): Promise<LabelledExamples> => {
    const files: CifarFile[] = [];
    for (const { name } of part.files) files.push(await read(part, name));
    const examples = parseCifar(files, source.format, part.records);
    checkBalanced(examples, files.map(({ file }) => file).join(', '));
    const foreign = files.flatMap(
      (file, position) => foreignSum(file, part.files[position] as RecordFile) ?? [],
    );
    const [first] = foreign;
    if (first !== undefined && part === source.train) throw first;
    for (const { message } of foreign) options.log(`${message}; its records are in order, and it is used`);
    return examples;
  };
  return { train: await load(source.train), test: await load(source.test), standardize: true };
}

/** What is wrong with a file that is not the original, or undefined when it is. */
function foreignSum({ file, bytes }: CifarFile, expected: RecordFile): DataError | undefined {
  const found = md5(bytes);
  if (found === expected.md5) return undefined;
  return new DataError(
    'CHECKSUM',
    `${file} is not the original: it has md5 ${found}; expected ${expected.md5}`,
  );
}

const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');

const partBytes = ({ format }: CifarSource, { records }: CifarPart): number => records * recordBytes(format);

/** The user's file, whatever it is. */
function givenFile({ info: { id }, archive: { folder } }: CifarSource, name: string): string | undefined {
  return [id, join(id, folder), folder]
    .flatMap((place) => givenFolder(place) ?? [])
    .map((place) => join(place, name))
    .find((file) => existsSync(file));
}

const fileNames = ({ train, test }: CifarSource): readonly string[] =>
  [...train.files, ...test.files].map(({ name }) => name);

/** Files of a set that are not on this machine. */
export const missingCifarFiles = (source: CifarSource): readonly string[] =>
  fileNames(source).filter(
    (name) => givenFile(source, name) === undefined && !existsSync(join(cachedFolder(source.info.id), name)),
  );

/** What a user without a network would bring. */
export const expectedCifarFiles = (source: CifarSource): string =>
  `${fileNames(source).join(', ')}, or with the folder ${source.archive.folder} that has them`;

/** The file in the cache, unless it is not what the archive had: then all are fetched again. */
async function readCached(
  source: CifarSource,
  part: CifarPart,
  name: string,
  { log }: LoadOptions,
): Promise<CifarFile | undefined> {
  const file = join(cachedFolder(source.info.id), name);
  if (!existsSync(file)) return undefined;
  try {
    const cached = { file, bytes: await readBytes(file, partBytes(source, part)) };
    const foreign = foreignSum(cached, part.files.find((expected) => expected.name === name) as RecordFile);
    if (foreign === undefined) return cached;
    throw foreign;
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    log(`${error.message}; downloading it again`);
    return undefined;
  }
}

/** All files of the set by name. */
function fetchArchive(
  source: CifarSource,
  name: string,
  options: LoadOptions,
): Promise<ReadonlyMap<string, CifarFile>> {
  const { info, archive } = source;
  const names = fileNames(source);
  const missing = {
    id: info.id,
    name,
    published: archive.name,
    maxBytes: MAX_ARCHIVE_BYTES,
    sites: source.sites,
    expected: expectedCifarFiles(source),
  };
  return fetchMissing(missing, options, async (content, url) => {
    const foreign = foreignSum({ file: url, bytes: content }, archive);
    if (foreign !== undefined) throw foreign;
    const files = await unpack(content);
    for (const wanted of names) {
      const file = files.get(wanted);
      if (file === undefined) throw new DataError('FORMAT', `${url} lacks ${wanted}`);
      await keep(join(cachedFolder(info.id), wanted), file.bytes, options.log);
    }
    return files;
  });
}

/** The files of an archive that is known to be whole. */
async function unpack(content: Uint8Array): Promise<Map<string, CifarFile>> {
  const tar = await promisify(gunzip)(content, { maxOutputLength: MAX_ARCHIVE_BYTES });
  // parseTar reads the whole memory behind what it is given.
  const entries = parseTar(tar.buffer.slice(tar.byteOffset, tar.byteOffset + tar.byteLength) as ArrayBuffer);
  return new Map(
    entries.map(({ name, data = new Uint8Array() }) => [basename(name), { file: name, bytes: data }]),
  );
}
