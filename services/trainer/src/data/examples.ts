/** Labelled examples on the host, as data sets are loaded, and the way from there to float32 batches. */

/** Examples with a class each. Immutable: parts are taken by index. */
export interface LabelledExamples {
  readonly count: number;
  /** Shape of one example: height, width, channels; or the number of features. */
  readonly shape: readonly number[];
  /** Number of classes. */
  readonly classes: number;
  /** `[count, ...shape]`, row-major. Bytes 0…255 stand for 0…1; floats for themselves. */
  readonly values: Uint8Array | Float32Array;
  /** Class of each example, 0 to classes − 1, `[count]`. */
  readonly labels: Int32Array;
}

/** Examples as float32, for tensors. */
export interface Batch extends LabelledExamples {
  readonly values: Float32Array;
}

/** Positions of examples, 0 to count − 1. */
export type Indices = ArrayLike<number>;

/**
 * The values of some examples for a tensor, bytes divided by 255. A new array each time: tfjs may keep it.
 * @returns `[indices.length, ...shape]`, row-major.
 * @throws RangeError when there is no example at an index.
 */
export function toFloat32(examples: LabelledExamples, indices: Indices): Float32Array {
  const { values, shape } = examples;
  const size = sizeOf(shape);
  const scale = values instanceof Uint8Array ? 255 : 1;
  const result = new Float32Array(indices.length * size);
  forEachIndex(examples, indices, (index, position) => {
    const from = index * size;
    const to = position * size;
    for (let k = 0; k < size; k++) result[to + k] = (values[from + k] as number) / scale;
  });
  return result;
}

/**
 * The classes of some examples, `[indices.length]`.
 * @throws RangeError when there is no example at an index.
 */
export function labelsOf(examples: LabelledExamples, indices: Indices): Int32Array {
  const result = new Int32Array(indices.length);
  forEachIndex(examples, indices, (index, position) => {
    result[position] = examples.labels[index] as number;
  });
  return result;
}

/**
 * Some examples, in the order of the indices.
 * @throws RangeError when there is no example at an index.
 */
export function subset(examples: LabelledExamples, indices: Indices): LabelledExamples {
  const { values, shape } = examples;
  const size = sizeOf(shape);
  const length = indices.length * size;
  const taken = values instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);
  forEachIndex(examples, indices, (index, position) => {
    taken.set(values.subarray(index * size, (index + 1) * size), position * size);
  });
  return { ...examples, count: indices.length, values: taken, labels: labelsOf(examples, indices) };
}

/**
 * Some examples as float32, in the order of the indices, as {@link toFloat32} gives them.
 * @throws RangeError when there is no example at an index.
 */
export function batchOf(examples: LabelledExamples, indices: Indices): Batch {
  return {
    ...examples,
    count: indices.length,
    values: toFloat32(examples, indices),
    labels: labelsOf(examples, indices),
  };
}

/** The index of each example, ascending. */
export const allIndices = ({ count }: Pick<LabelledExamples, 'count'>): Uint32Array =>
  Uint32Array.from({ length: count }, (_, index) => index);

/** Number of examples of each class. */
export function classCounts({ labels, classes }: Pick<LabelledExamples, 'labels' | 'classes'>): number[] {
  const counts = Array.from({ length: classes }, () => 0);
  for (const label of labels) counts[label] = (counts[label] as number) + 1;
  return counts;
}

/** Numbers in one example. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function forEachIndex(
  { count }: LabelledExamples,
  indices: Indices,
  visit: (index: number, position: number) => void,
): void {
  for (let position = 0; position < indices.length; position++) {
    const index = indices[position] as number;
    if (!Number.isInteger(index) || index < 0 || index >= count) {
      throw new RangeError(`there is no example ${index}; there are ${count}, counted from 0`);
    }
    visit(index, position);
  }
}
