/** The idx format of MNIST and its relatives: arrays of unsigned bytes, as they are or compressed with gzip. */

import { promisify } from 'node:util';
import { constants, gunzip, gunzipSync } from 'node:zlib';
import { DataError } from './errors.ts';
import type { LabelledExamples } from './examples.ts';
import { MAX_FILE_BYTES, readBytes } from './files.ts';

/** Number of dimensions: 1 for labels (`idx1`), 3 for grey images (`idx3`: count, height, width). */
export type IdxRank = 1 | 3;

export interface IdxArray {
  /** Where it came from. */
  readonly file: string;
  /** One size for each dimension; the first counts examples. */
  readonly shape: readonly number[];
  /** Row-major. */
  readonly values: Uint8Array;
  /** The whole file, decompressed: header and values. */
  readonly bytes: Uint8Array;
}

/** Code of unsigned bytes: the third byte of the magic number, before the rank. */
const UNSIGNED_BYTE = 0x08;
/** So many compressed bytes surely hold the header. */
const BEGINNING_BYTES = 4096;

/**
 * Reads a file of labels or images.
 * @throws DataError UNREADABLE, and what {@link parseIdx} throws.
 */
export async function readIdx(file: string, rank: IdxRank): Promise<IdxArray> {
  return parseIdx(await readBytes(file, MAX_FILE_BYTES), file, rank);
}

/**
 * Takes a file apart. Unpacks no more than its header announces, whatever the compression holds.
 * @param content of the file; whether it is compressed is seen by its first bytes.
 * @param file what errors call it.
 * @throws DataError CORRUPT, FORMAT or SIZE.
 */
export async function parseIdx(content: Uint8Array, file: string, rank: IdxRank): Promise<IdxArray> {
  const isGzip = content[0] === 0x1f && content[1] === 0x8b;
  const shape = readShape(isGzip ? unpackBeginning(content, file) : content, file, rank);
  const bytes = isGzip ? await unpack(content, file, shape) : content;
  if (bytes.length !== fileBytes(shape)) throw wrongSize(file, shape, `${bytes.length}`);
  return { file, shape, bytes, values: bytes.subarray(headerBytes(rank)) };
}

/**
 * Puts images and labels together.
 * @param expected shape of an image, `[height, width, 1]`, and number of classes.
 * @throws DataError MISMATCH when they do not belong together, naming the files.
 */
export function pairExamples(
  images: IdxArray,
  labels: IdxArray,
  { shape, classes }: Pick<LabelledExamples, 'shape' | 'classes'>,
): LabelledExamples {
  const [count = 0, ...size] = images.shape;
  if (`${[...size, 1]}` !== `${shape}`) {
    throw mismatch(`${images.file} has images of ${times(size)}; expected ${times(shape.slice(0, 2))}`);
  }
  if (labels.shape[0] !== count) {
    throw mismatch(
      `${images.file} has ${count} images, but ${labels.file} ${labels.shape[0]} labels; expected as many of both`,
    );
  }
  const foreign = labels.values.findIndex((label) => label >= classes);
  if (foreign !== -1) {
    throw mismatch(
      `${labels.file} has label ${labels.values[foreign]} at example ${foreign}; expected 0 to ${classes - 1}`,
    );
  }
  return { count, shape, classes, values: images.values, labels: Int32Array.from(labels.values) };
}

/** The bytes of a file, not compressed. */
export function encodeIdx(shape: readonly number[], values: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(fileBytes(shape));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magicOf(shape.length));
  shape.forEach((size, dimension) => {
    view.setUint32(4 + 4 * dimension, size);
  });
  bytes.set(values, headerBytes(shape.length));
  return bytes;
}

const times = (sizes: readonly number[]): string => sizes.join('×');

const magicOf = (rank: number): number => (UNSIGNED_BYTE << 8) | rank;

const headerBytes = (rank: number): number => 4 + 4 * rank;

const fileBytes = (shape: readonly number[]): number =>
  headerBytes(shape.length) + shape.reduce((product, size) => product * size, 1);

/** The sizes in a header. */
function readShape(bytes: Uint8Array, file: string, rank: IdxRank): readonly number[] {
  const name = `an idx${rank} file of unsigned bytes`;
  if (bytes.length < headerBytes(rank)) {
    const found = bytes.length === 0 ? 'is empty' : `ends after ${bytes.length} bytes`;
    throw new DataError('SIZE', `${file} ${found}; expected ${name}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = magicOf(rank);
  if (view.getUint32(0) !== magic) {
    throw new DataError(
      'FORMAT',
      `${file} begins with ${hex(view.getUint32(0))}; expected ${name}, which begins with ${hex(magic)}`,
    );
  }
  const shape = Array.from({ length: rank }, (_, dimension) => view.getUint32(4 + 4 * dimension));
  if (shape.includes(0) || fileBytes(shape) > MAX_FILE_BYTES) {
    throw new DataError(
      'FORMAT',
      `${file} announces ${times(shape)} values; expected at least one, and at most ${MAX_FILE_BYTES} bytes`,
    );
  }
  return shape;
}

const hex = (magic: number): string => `0x${magic.toString(16).padStart(8, '0')}`;

function unpackBeginning(content: Uint8Array, file: string): Uint8Array {
  try {
    return gunzipSync(content.subarray(0, BEGINNING_BYTES), { finishFlush: constants.Z_SYNC_FLUSH });
  } catch (error) {
    throw corrupt(file, error);
  }
}

async function unpack(content: Uint8Array, file: string, shape: readonly number[]): Promise<Uint8Array> {
  try {
    return await promisify(gunzip)(content, { maxOutputLength: fileBytes(shape) });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') {
      throw wrongSize(file, shape, 'more');
    }
    throw corrupt(file, error);
  }
}

const corrupt = (file: string, cause: unknown): DataError =>
  new DataError(
    'CORRUPT',
    `${file} is damaged or cut off: ${cause instanceof Error ? cause.message : cause}; expected a whole gzip file`,
    { cause },
  );

const wrongSize = (file: string, shape: readonly number[], found: string): DataError =>
  new DataError(
    'SIZE',
    `${file} has ${found} bytes; expected ${fileBytes(shape)}, as its header announces ${times(shape)} values`,
  );

const mismatch = (message: string): DataError => new DataError('MISMATCH', message);
