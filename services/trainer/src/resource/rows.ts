/** Vectors as the contract sends them: little-endian binary64. */

import { endianness } from 'node:os';

const VALUE_BYTES = Float64Array.BYTES_PER_ELEMENT;

/** Rows of equal length as one, row-major. */
export const encodeRows = (rows: readonly Float64Array[]): Buffer =>
  littleEndian(Buffer.concat(rows.map(bytesOf)));

/** One row. Most machines need no copy of it: the row must not change before the bytes have been used. */
export const encodeRow = (row: Float64Array): Buffer =>
  endianness() === 'LE' ? bytesOf(row) : encodeRows([row]);

/** The numbers again. */
export function decodeRow(bytes: Uint8Array): Float64Array {
  const copy = new Uint8Array(bytes);
  littleEndian(Buffer.from(copy.buffer));
  return new Float64Array(copy.buffer);
}

/** The numbers again, where the bytes lie if they can be read there: neither may change before the other is no longer needed. */
export const viewRow = (bytes: Uint8Array): Float64Array =>
  endianness() === 'LE' && bytes.byteOffset % VALUE_BYTES === 0
    ? new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / VALUE_BYTES)
    : decodeRow(bytes);

/** Rows of equal length, which were sent as one; not copies of them. */
export const rowsOf = (values: Float64Array, rows: number): Float64Array[] => {
  const length = rows === 0 ? 0 : values.length / rows;
  return Array.from({ length: rows }, (_, row) => values.subarray(row * length, (row + 1) * length));
};

/** As messages have numbers. Several times as fast as spreading the row, which counts with a hundred thousand of them. */
export function numbersOf(row: Float64Array): number[] {
  const numbers = new Array<number>(row.length);
  for (let k = 0; k < row.length; k++) numbers[k] = row[k] as number;
  return numbers;
}

const bytesOf = (row: Float64Array): Buffer => Buffer.from(row.buffer, row.byteOffset, row.byteLength);

/** From this machine's order of bytes in binary64 values to little-endian, or back; in place. */
const littleEndian = (bytes: Buffer): Buffer => (endianness() === 'LE' ? bytes : bytes.swap64());
