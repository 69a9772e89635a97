/** Little-endian binary64, as the contract sends vectors, and Float64Array, whatever the machine's byte order is. */

import { endianness } from 'node:os';
import { GlocalError } from './error.ts';

/** @throws GlocalError DATA_LOSS when the bytes are not a whole number of values. */
export function decodeVector(bytes: Uint8Array): Float64Array {
  if (bytes.byteLength % 8 !== 0) {
    throw new GlocalError(
      'DATA_LOSS',
      `a vector of ${bytes.byteLength} bytes came; values have 8 bytes each`,
    );
  }
  const values = new Float64Array(bytes.byteLength / 8);
  const copy = Buffer.from(values.buffer);
  copy.set(bytes);
  if (endianness() === 'BE') copy.swap64();
  return values;
}

/**
 * A matrix as its rows, which share one buffer.
 * @throws GlocalError DATA_LOSS when the bytes are not `rows` rows of `components` values.
 */
export function decodeRows(bytes: Uint8Array, rows: number, components: number): Float64Array[] {
  if (bytes.byteLength !== rows * components * 8) {
    throw new GlocalError(
      'DATA_LOSS',
      `a window of ${bytes.byteLength} bytes came; ${rows} rows of ${components} values have ${rows * components * 8}`,
    );
  }
  const values = decodeVector(bytes);
  return Array.from({ length: rows }, (_, row) => values.subarray(row * components, (row + 1) * components));
}

/** Pairs of real and imaginary part. */
export function decodeComplex(bytes: Uint8Array): { re: Float64Array; im: Float64Array } {
  const pairs = decodeVector(bytes);
  return {
    re: pairs.filter((_, i) => i % 2 === 0),
    im: pairs.filter((_, i) => i % 2 === 1),
  };
}

/** Vectors one after another. */
export function encodeVector(vectors: readonly Float64Array[]): Buffer {
  const bytes = Buffer.concat(
    vectors.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)),
  );
  return endianness() === 'LE' ? bytes : bytes.swap64();
}
