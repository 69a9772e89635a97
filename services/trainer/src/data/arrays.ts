/** From arrays of numbers, as files have them, to labelled examples. */

import { DataError } from './errors.ts';
import { type LabelledExamples, sizeOf } from './examples.ts';
import type { NumberArray } from './npy.ts';

/** What a data set says of its examples. */
export interface Described {
  /** Names of the classes, in the order of the labels. */
  readonly classes: readonly string[];
  /** Shape of an example; by default that which it has in the file. */
  readonly inputShape?: readonly number[] | undefined;
}

/**
 * Puts values and labels together. Bytes stay bytes, other numbers become float32.
 * @param values `[examples, ...]`.
 * @param labels `[examples]`, also with further axes of size 1; whole numbers from 0 on.
 * @throws DataError MISMATCH when they do not belong together or are not what is described; VALUE naming the place of a
 *   number that is not finite.
 */
export function labelledExamples(
  { values, labels }: { readonly values: NumberArray; readonly labels: NumberArray },
  { classes, inputShape }: Described,
): LabelledExamples {
  const [count = 0, ...own] = values.shape;
  if (own.length === 0 || values.values.length === 0) {
    throw mismatch(
      `${values.file} has shape ${text(values.shape)}; expected [examples, …], with at least one number`,
    );
  }
  if (labels.values.length !== count || labels.shape[0] !== count) {
    throw mismatch(
      `${values.file} has ${count} examples, but ${labels.file} labels of shape ${text(labels.shape)}; ` +
        `expected as many of both`,
    );
  }
  const shape = shapeOf(own, inputShape, values.file);
  return {
    count,
    shape,
    classes: classes.length,
    values: finite(values),
    labels: checkedLabels(labels, classes.length),
  };
}

/**
 * The shape of an example.
 * @param own that it has in the file.
 * @throws DataError MISMATCH when it has another number of values than is described.
 */
export function shapeOf(
  own: readonly number[],
  described: readonly number[] | undefined,
  file: string,
): readonly number[] {
  if (described !== undefined && sizeOf(described) !== sizeOf(own)) {
    throw mismatch(
      `${file} has examples of shape ${text(own)}; expected ${sizeOf(described)} numbers, ` +
        `as inputShape ${text(described)} says`,
    );
  }
  return described ?? own;
}

function finite({ values, shape, file }: NumberArray): Uint8Array | Float32Array {
  if (values instanceof Uint8Array) return values;
  const floats = values instanceof Float32Array ? values : Float32Array.from(values);
  const place = floats.findIndex((value) => !Number.isFinite(value));
  if (place !== -1) {
    throw new DataError(
      'VALUE',
      `${file} has ${values[place]} at ${text(indexOf(place, shape))}; expected finite numbers in the range of float32`,
    );
  }
  return floats;
}

function checkedLabels({ values, file }: NumberArray, classes: number): Int32Array {
  const foreign = values.findIndex((label) => !(Number.isInteger(label) && label >= 0 && label < classes));
  if (foreign !== -1) {
    throw mismatch(
      `${file} has label ${values[foreign]} at example ${foreign}; expected whole numbers from 0 to ${classes - 1}`,
    );
  }
  return Int32Array.from(values);
}

/** Index along each axis of the element at a position, row-major. */
function indexOf(position: number, shape: readonly number[]): number[] {
  let rest = position;
  return shape.map((_, axis) => {
    const below = sizeOf(shape.slice(axis + 1));
    const index = Math.floor(rest / below);
    rest %= below;
    return index;
  });
}

const text = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

const mismatch = (message: string): DataError => new DataError('MISMATCH', message);
