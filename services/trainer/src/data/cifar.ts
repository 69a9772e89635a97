/** The binary format of CIFAR-10 and CIFAR-100: records of one byte for each label and 32×32 pixels, plane by plane. */

import { DataError } from './errors.ts';
import { classCounts, type LabelledExamples } from './examples.ts';

/** What is in a record. */
export interface CifarFormat {
  /** Number of classes of each label, in the order of the bytes: `[10]`, or `[20, 100]` (coarse, fine). The last is learned. */
  readonly labels: readonly number[];
}

/** Records and where they came from. */
export interface CifarFile {
  /** What errors call it. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

const SHAPE = [32, 32, 3] as const;
const [HEIGHT, WIDTH, CHANNELS] = SHAPE;
const PLANE = HEIGHT * WIDTH;
const PIXEL_BYTES = CHANNELS * PLANE;

/** Size of one record. */
export const recordBytes = ({ labels }: CifarFormat): number => labels.length + PIXEL_BYTES;

/**
 * Puts files together, in their order.
 * @param records in each file.
 * @returns bytes of shape height, width, channels (red, green, blue).
 * @throws DataError SIZE or MISMATCH, naming file and record; records are counted from 0.
 */
export function parseCifar(
  files: readonly CifarFile[],
  format: CifarFormat,
  records: number,
): LabelledExamples {
  const count = files.length * records;
  const values = new Uint8Array(count * PIXEL_BYTES);
  const labels = new Int32Array(count);
  files.forEach(({ file, bytes }, position) => {
    checkSize(file, bytes.length, format, records);
    for (let record = 0; record < records; record++) {
      const at = record * recordBytes(format);
      const example = position * records + record;
      labels[example] = readLabel({ file, bytes }, format, record);
      const pixels = bytes.subarray(at + format.labels.length, at + recordBytes(format));
      interleave(pixels, values.subarray(example * PIXEL_BYTES, (example + 1) * PIXEL_BYTES));
    }
  });
  return { count, shape: SHAPE, classes: format.labels.at(-1) as number, values, labels };
}

/**
 * Checks that every class has as many examples as every other, as in both CIFAR sets.
 * @param what what errors call them.
 * @throws DataError MISMATCH
 */
export function checkBalanced(examples: LabelledExamples, what: string): void {
  const expected = examples.count / examples.classes;
  classCounts(examples).forEach((found, label) => {
    if (found !== expected) {
      throw new DataError(
        'MISMATCH',
        `${what} has ${found} images of class ${label}; expected ${expected} of each class`,
      );
    }
  });
}

function checkSize(file: string, bytes: number, format: CifarFormat, records: number): void {
  const record = recordBytes(format);
  if (bytes !== records * record) {
    throw new DataError(
      'SIZE',
      `${file} has ${bytes} bytes; expected ${records * record}: ${records} records of ${record} bytes`,
    );
  }
}

/** Checks all labels of a record; gives the one that is learned. */
function readLabel({ file, bytes }: CifarFile, format: CifarFormat, record: number): number {
  const at = record * recordBytes(format);
  format.labels.forEach((classes, position) => {
    const found = bytes[at + position] as number;
    if (found >= classes) {
      throw new DataError(
        'MISMATCH',
        `${file} has label ${found} in byte ${position} of record ${record}; expected 0 to ${classes - 1}`,
      );
    }
  });
  return bytes[at + format.labels.length - 1] as number;
}

/** From planes to pixels: all reds, all greens, all blues become red, green, blue, red, … */
function interleave(planes: Uint8Array, pixels: Uint8Array): void {
  for (let channel = 0; channel < CHANNELS; channel++) {
    for (let pixel = 0; pixel < PLANE; pixel++) {
      pixels[pixel * CHANNELS + channel] = planes[channel * PLANE + pixel] as number;
    }
  }
}
