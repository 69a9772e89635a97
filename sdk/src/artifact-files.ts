/** Files on their way to a server: sizes and checksums first, then their bytes, read from the disk as they are sent. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  type ArtifactFile,
  ArtifactKind,
  type UploadArtifactRequest,
} from '@glocal/proto/glocal/v1/study_service';
import { throwIfAborted } from './abort.ts';
import { type ArtifactKind as ArtifactKindName, enumValue } from './enums.ts';
import { GlocalError } from './error.ts';

/** A file that is in memory. */
export interface ArtifactSource {
  /** Its name, without folders. */
  readonly path: string;
  readonly content: Uint8Array;
}

/** A file, with a reader of its bytes. */
interface SourceFile extends ArtifactFile {
  read(): AsyncIterable<Buffer>;
}

/** Bytes of a file in one message. */
const CHUNK_BYTES = 256 * 1024;

/** @throws GlocalError INVALID_ARGUMENT, reason NOT_READABLE; CANCELLED when the signal is aborted. */
export async function filesOf(
  source: string | readonly (string | ArtifactSource)[],
  signal: AbortSignal | undefined,
): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for (const item of typeof source === 'string' ? await inFolder(source) : source) {
    throwIfAborted([signal]);
    files.push(await describeFile(item));
  }
  return files;
}

async function inFolder(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const names = entries.filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.'));
    return names.map(({ name }) => join(folder, name)).sort();
  } catch (cause) {
    throw notReadable(folder, cause);
  }
}

async function describeFile(item: string | ArtifactSource): Promise<SourceFile> {
  const path = typeof item === 'string' ? basename(item) : item.path;
  const read = () => (typeof item === 'string' ? bytesOf(item) : pieces(item.content));
  const hash = createHash('sha256');
  let size = 0n;
  for await (const bytes of read()) {
    hash.update(bytes);
    size += BigInt(bytes.length);
  }
  return { path, size, sha256: hash.digest('hex'), read };
}

async function* bytesOf(path: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(path, { highWaterMark: CHUNK_BYTES });
  } catch (cause) {
    throw notReadable(path, cause);
  }
}

async function* pieces(content: Uint8Array): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
    yield bytes.subarray(start, start + CHUNK_BYTES);
  }
}

/** @throws GlocalError INVALID_ARGUMENT, reason NOT_ENCODABLE, when neither the caller nor a file says it. */
export function kindOf(kind: ArtifactKindName | undefined, files: readonly ArtifactFile[]): ArtifactKind {
  const named = enumValue(ArtifactKind, kind);
  if (named !== undefined) return named;
  const has = (name: string): boolean => files.some(({ path }) => path === name);
  const [isModel, isDataset] = [has('model.json'), has('dataset.json')];
  if (isModel !== isDataset) return isModel ? ArtifactKind.MODEL : ArtifactKind.DATASET;
  const what = isModel
    ? 'both model.json and dataset.json are there'
    : 'neither model.json nor dataset.json is there';
  throw GlocalError.invalid('NOT_ENCODABLE', [{ field: 'kind', description: `is missing; ${what}` }]);
}

/** The messages of an upload. */
export async function* uploadOf(
  header: { readonly kind: ArtifactKind; readonly displayName: string },
  files: readonly SourceFile[],
): AsyncGenerator<UploadArtifactRequest> {
  yield { request: { $case: 'header', value: header } };
  for (const { read, ...file } of files) {
    yield { request: { $case: 'file', value: file } };
    for await (const chunk of read()) yield { request: { $case: 'chunk', value: chunk } };
  }
}

function notReadable(path: string, cause: unknown): GlocalError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return GlocalError.invalid('NOT_READABLE', [{ field: path, description: `cannot be read: ${why}` }], cause);
}
