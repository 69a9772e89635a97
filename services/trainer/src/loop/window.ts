/** The hypergradients of one outer step, and plain statistics of them. */

import { endianness } from 'node:os';

/** Rows of equal length, oldest first. */
export type Rows = readonly Float64Array[];

export const lastRow = (rows: Rows): Float64Array => rows.at(-1) ?? new Float64Array();

/** Component-wise mean. */
export function meanRow(rows: Rows): Float64Array {
  return lastRow(rows).map((_, i) => column(rows, i).reduce((sum, x) => sum + x, 0) / rows.length);
}

/** Component-wise median; of an even number of rows the mean of the middle two. */
export function medianRow(rows: Rows): Float64Array {
  return lastRow(rows).map((_, i) => {
    const sorted = column(rows, i).sort((a, b) => a - b);
    const upper = Math.floor(sorted.length / 2);
    const lower = Math.ceil(sorted.length / 2) - 1;
    return ((sorted[lower] ?? 0) + (sorted[upper] ?? 0)) / 2;
  });
}

export const isFiniteRow = (row: Float64Array): boolean => row.every((x) => Number.isFinite(x));

/** Euclidean norm, of any number of components. */
export const norm = (row: Float64Array): number => row.reduce((sum, x) => Math.hypot(sum, x), 0);

/** The rows as little-endian binary64, row-major, as the contract sends them. */
export const encodeRows = (rows: Rows): Buffer => littleEndian(Buffer.concat(rows.map(bytesOf)));

/** One row in that form. Most machines need no copy of it: the row must not change before the bytes have been used. */
export const encodeRow = (row: Float64Array): Buffer =>
  endianness() === 'LE' ? bytesOf(row) : encodeRows([row]);

const bytesOf = (row: Float64Array): Buffer => Buffer.from(row.buffer, row.byteOffset, row.byteLength);

/** Little-endian binary64 as numbers. */
export function decodeRow(bytes: Uint8Array): Float64Array {
  const copy = new Uint8Array(bytes);
  littleEndian(Buffer.from(copy.buffer));
  return new Float64Array(copy.buffer);
}

/** From this machine's order of bytes in binary64 values to little-endian, or back; in place. */
const littleEndian = (bytes: Buffer): Buffer => (endianness() === 'LE' ? bytes : bytes.swap64());

const column = (rows: Rows, i: number): Float64Array => Float64Array.from(rows, (row) => row[i] ?? 0);
