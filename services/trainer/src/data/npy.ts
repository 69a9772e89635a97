/** NumPy's npy format, versions 1 to 3, and its npz archives: arrays of whole or floating-point numbers. */

import { printable, quoteCell } from '../resource/quote.ts';
import { DataError } from './errors.ts';
import { MAX_FILE_BYTES, readBytes } from './files.ts';
import { readZipEntry } from './zip.ts';

/** An array as it is in a file. */
export interface NumberArray {
  /** Where it came from, for people. */
  readonly file: string;
  readonly shape: readonly number[];
  /** Row-major. Bytes stay bytes and float32 stays float32; what else there is becomes float64. */
  readonly values: Uint8Array | Float32Array | Float64Array;
}

/** How one element is read, by NumPy's name for its type, without the byte order. */
const ELEMENTS: Readonly<Record<string, (view: DataView, offset: number, isLittle: boolean) => number>> = {
  u1: (view, offset) => view.getUint8(offset),
  u2: (view, offset, isLittle) => view.getUint16(offset, isLittle),
  u4: (view, offset, isLittle) => view.getUint32(offset, isLittle),
  u8: (view, offset, isLittle) => Number(view.getBigUint64(offset, isLittle)),
  i1: (view, offset) => view.getInt8(offset),
  i2: (view, offset, isLittle) => view.getInt16(offset, isLittle),
  i4: (view, offset, isLittle) => view.getInt32(offset, isLittle),
  i8: (view, offset, isLittle) => Number(view.getBigInt64(offset, isLittle)),
  f4: (view, offset, isLittle) => view.getFloat32(offset, isLittle),
  f8: (view, offset, isLittle) => view.getFloat64(offset, isLittle),
};

const MAGIC = '\x93NUMPY';
/** More than any header has; NumPy's own limit is 10,000. */
const MAX_HEADER_BYTES = 2 ** 16;

/** @throws DataError UNREADABLE, FORMAT or SIZE. */
export async function readNpy(file: string): Promise<NumberArray> {
  return parseNpy(await readBytes(file, MAX_FILE_BYTES), file);
}

/**
 * Reads one array of an archive.
 * @param name as it was given to `numpy.savez`.
 * @throws DataError UNREADABLE, CORRUPT, FORMAT or SIZE.
 */
export async function readNpz(file: string, name: string): Promise<NumberArray> {
  return parseNpy(await readZipEntry(file, `${name}.npy`, MAX_FILE_BYTES), `${file}, array ${name},`);
}

/**
 * Takes a file apart.
 * @param file what errors call it.
 * @throws DataError FORMAT or SIZE.
 */
export function parseNpy(bytes: Uint8Array, file: string): NumberArray {
  const { header, valuesAt } = readHeader(bytes, file);
  const { shape, element, isLittle } = parseHeader(header, file);
  const itemBytes = Number(element.slice(1));
  const count = shape.reduce((product, size) => product * size, 1);
  const found = bytes.length - valuesAt;
  if (found !== count * itemBytes) {
    throw new DataError(
      'SIZE',
      `${file} has ${found} bytes of values; expected ${count * itemBytes}, as its header announces ` +
        `[${shape.join(', ')}] values of ${itemBytes} bytes`,
    );
  }
  if (element === 'u1') return { file, shape, values: bytes.subarray(valuesAt) };
  const read = ELEMENTS[element] as NonNullable<(typeof ELEMENTS)[string]>;
  const view = new DataView(bytes.buffer, bytes.byteOffset + valuesAt, found);
  const values = element === 'f4' ? new Float32Array(count) : new Float64Array(count);
  for (let position = 0; position < count; position++) {
    values[position] = read(view, position * itemBytes, isLittle);
  }
  return { file, shape, values };
}

function readHeader(bytes: Uint8Array, file: string): { header: string; valuesAt: number } {
  const text = (from: number, to: number) => Buffer.from(bytes.subarray(from, to)).toString('latin1');
  if (text(0, MAGIC.length) !== MAGIC) {
    throw new DataError('FORMAT', `${file} is not an npy file: it does not begin with \\x93NUMPY`);
  }
  const version = bytes[6] ?? 0;
  if (version < 1 || version > 3) {
    throw new DataError('FORMAT', `${file} is npy version ${version}; expected 1, 2 or 3`);
  }
  const headerAt = version === 1 ? 10 : 12;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isWhole = bytes.length >= headerAt;
  const length = isWhole ? (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true)) : 0;
  const valuesAt = headerAt + length;
  if (!isWhole || length > MAX_HEADER_BYTES || bytes.length < valuesAt) {
    throw new DataError('SIZE', `${file} ends within its header, after ${bytes.length} bytes`);
  }
  return { header: text(headerAt, valuesAt), valuesAt };
}

/** The header is a Python dictionary, such as `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`. */
function parseHeader(
  header: string,
  file: string,
): { shape: readonly number[]; element: string; isLittle: boolean } {
  const [, descr] = header.match(/'descr'\s*:\s*'([^']*)'/) ?? [];
  const [, isFortran] = header.match(/'fortran_order'\s*:\s*(True|False)/) ?? [];
  const [, sizes] = header.match(/'shape'\s*:\s*\(([\d,\sL]*)\)/) ?? [];
  if (isFortran === undefined || sizes === undefined) {
    throw new DataError(
      'FORMAT',
      `${file} has the header ${quoteCell(header.trim())}; expected descr, fortran_order and shape`,
    );
  }
  const [, order, element] = descr?.match(/^([<>|=])([uif]\d)$/) ?? [];
  if (element === undefined || !(element in ELEMENTS)) {
    throw new DataError(
      'FORMAT',
      `${file} has elements of type ${descr === undefined ? 'with fields' : printable(descr)}; expected numbers: ${Object.keys(ELEMENTS).join(', ')}`,
    );
  }
  const shape = sizes.split(',').flatMap((size) => (size.trim() === '' ? [] : Number.parseInt(size, 10)));
  if (isFortran === 'True' && shape.length > 1) {
    throw new DataError(
      'FORMAT',
      `${file} is in Fortran order; expected C order, as numpy.save(file, numpy.ascontiguousarray(array)) writes`,
    );
  }
  return { shape, element, isLittle: order !== '>' };
}
