/** Receives the files of an upload into a folder, and believes nothing of what is said about them. */

import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ArtifactFile,
  type ArtifactHeader,
  ArtifactKind,
  type UploadArtifactRequest,
} from '@glocal/proto/glocal/v1/study_service';
import { FieldError } from '../resource/errors.ts';
import { characters, quote } from '../resource/quote.ts';
import { StoreUnavailableError } from '../store/errors.ts';
import type { UploadRoom } from './room.ts';

const MAX_NAME = 200;
const MAX_FILES = 1_024;
/** What every file system takes, in UTF-8. */
const MAX_PATH_BYTES = 200;
/** Separators of any system, and what nobody would see in a list. */
const NOT_IN_A_NAME = /[/\\:\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u;
const SHA256 = /^[0-9a-f]{64}$/;

/** What has arrived as a whole, in the order of sending. */
export interface Received {
  readonly header: ArtifactHeader;
  readonly files: readonly ArtifactFile[];
}

/**
 * Resolves when all has arrived, is what it was said to be, and is on the disk.
 * @param folder an empty one.
 * @throws FieldError naming the message's field, BusyError when a limit is passed, StoreUnavailableError when the disk is
 *   full, and what the requests throw. What is in the folder then is of no use.
 */
export async function receive(
  requests: AsyncIterable<UploadArtifactRequest>,
  folder: string,
  room: Pick<UploadRoom, 'take'>,
  maxFiles = MAX_FILES,
): Promise<Received> {
  let header: ArtifactHeader | undefined;
  const files: ArtifactFile[] = [];
  let arriving: ArrivingFile | undefined;
  try {
    for await (const { request } of requests) {
      if (header === undefined) {
        if (request?.$case !== 'header') throw wrong('header', 'must be the first message');
        header = checkedHeader(request.value);
        continue;
      }
      switch (request?.$case) {
        case 'file': {
          await arriving?.end();
          arriving = undefined;
          if (files.length >= maxFiles) throw wrong('file', `an artifact has at most ${maxFiles} files`);
          const file = checkedFile(request.value, files);
          await room.take(file.size);
          arriving = await ArrivingFile.open(folder, file);
          files.push(file);
          break;
        }
        case 'chunk':
          if (arriving === undefined) throw wrong('chunk', 'comes before the first file');
          await arriving.add(request.value);
          break;
        case 'header':
          throw wrong('header', 'comes once, first');
        default:
          throw wrong('request', 'has neither header nor file nor chunk');
      }
    }
    await arriving?.end();
    arriving = undefined;
  } catch (error) {
    throw asUnavailable(error);
  } finally {
    await arriving?.close();
  }
  if (header === undefined) throw wrong('header', 'must be the first message');
  if (files.length === 0) throw wrong('file', 'is missing: an artifact has at least one');
  return { header, files };
}

/** A file of which not all has come. */
class ArrivingFile {
  readonly #handle: FileHandle;
  readonly #file: ArtifactFile;
  readonly #hash: Hash = createHash('sha256');
  #missing: bigint;

  private constructor(handle: FileHandle, file: ArtifactFile) {
    this.#handle = handle;
    this.#file = file;
    this.#missing = file.size;
  }

  static async open(folder: string, file: ArtifactFile): Promise<ArrivingFile> {
    // Some file systems take two names for one.
    const handle = await open(join(folder, file.path), 'wx').catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EEXIST' ? wrong('file.path', `${quote(file.path)} comes twice`) : error;
    });
    return new ArrivingFile(handle, file);
  }

  async add(bytes: Uint8Array): Promise<void> {
    this.#missing -= BigInt(bytes.length);
    const { path, size } = this.#file;
    if (this.#missing < 0n)
      throw wrong('chunk', `${quote(path)} is longer than the ${size} bytes of its header`);
    this.#hash.update(bytes);
    await this.#handle.appendFile(bytes);
  }

  async end(): Promise<void> {
    const { path, size, sha256 } = this.#file;
    if (this.#missing > 0n) {
      throw wrong('chunk', `${quote(path)} has ${size - this.#missing} of the ${size} bytes of its header`);
    }
    const found = this.#hash.digest('hex');
    if (found !== sha256) {
      throw FieldError.of(
        'CHECKSUM',
        'file.sha256',
        `${quote(path)} arrived with SHA-256 ${found}, not ${sha256}`,
      );
    }
    await this.#handle.sync();
    await this.close();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

function checkedHeader({ kind, displayName }: ArtifactHeader): ArtifactHeader {
  if (kind !== ArtifactKind.MODEL && kind !== ArtifactKind.DATASET) {
    throw wrong('header.kind', `${kind} is neither MODEL nor DATASET`);
  }
  const length = characters(displayName);
  if (length > MAX_NAME) throw wrong('header.display_name', `has ${length} characters; at most ${MAX_NAME}`);
  return { kind, displayName };
}

/** @param before those that came before it. */
function checkedFile({ path, size, sha256 }: ArtifactFile, before: readonly ArtifactFile[]): ArtifactFile {
  if (!isPlainName(path)) {
    throw wrong(
      'file.path',
      `${quote(path)} is not the plain name of a file: 1 to ${MAX_PATH_BYTES} bytes without separators and control characters, not . or ..`,
    );
  }
  if (before.some((file) => file.path === path)) throw wrong('file.path', `${quote(path)} comes twice`);
  if (size < 0n) throw wrong('file.size', `${size} is negative`);
  if (!SHA256.test(sha256)) {
    throw wrong('file.sha256', `${quote(sha256)} is not a SHA-256 in 64 lower-case hexadecimal digits`);
  }
  return { path, size, sha256 };
}

const isPlainName = (path: string): boolean =>
  !['', '.', '..'].includes(path) && Buffer.byteLength(path) <= MAX_PATH_BYTES && !NOT_IN_A_NAME.test(path);

const wrong = (field: string, description: string): FieldError =>
  FieldError.of('ARTIFACT', field, description);

const DISK = ['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS', 'EIO', 'EMFILE', 'ENFILE', 'EACCES', 'EPERM'];

/** What the system says of a disk that takes no more, as every caller is told. */
export function asUnavailable(error: unknown): unknown {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (!(error instanceof Error) || !DISK.includes(code)) return error;
  return new StoreUnavailableError(`the artifact cannot be written: ${error.message}`, { cause: error });
}
