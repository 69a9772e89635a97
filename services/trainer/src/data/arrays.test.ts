import { describe, expect, it } from 'vitest';
import { labelledExamples } from './arrays.ts';
import { DataError, type DataReason } from './errors.ts';
import type { NumberArray } from './npy.ts';

const array = (file: string, shape: readonly number[], values: NumberArray['values']): NumberArray => ({
  file,
  shape,
  values,
});

/** Two images of 1×2 pixels with one channel. */
const values = array('x.npy', [2, 1, 2, 1], Float32Array.of(1, 2, 3, 4));
const labels = array('y.npy', [2], Float64Array.of(1, 0));
const classes = ['cat', 'dog'];

describe('labelledExamples', () => {
  it('has the values in the shape that they have in the file', () => {
    expect(labelledExamples({ values, labels }, { classes })).toEqual({
      count: 2,
      shape: [1, 2, 1],
      classes: 2,
      values: values.values,
      labels: Int32Array.of(1, 0),
    });
  });

  it('has them in another shape of as many numbers where that is asked for', () => {
    const { shape } = labelledExamples({ values, labels }, { classes, inputShape: [2] });
    expect(shape).toEqual([2]);
  });

  it('leaves bytes bytes, and makes float32 of everything else', () => {
    const convert = (converted: NumberArray['values']) =>
      labelledExamples({ values: { ...values, values: converted }, labels }, { classes }).values;
    expect(convert(Uint8Array.of(1, 2, 3, 4))).toEqual(Uint8Array.of(1, 2, 3, 4));
    expect(convert(Float64Array.of(-1, 0.1, 3, 4))).toEqual(Float32Array.of(-1, 0.1, 3, 4));
  });

  it('takes labels with an axis too many, as Keras writes them', () => {
    const column = array('y.npy', [2, 1], Uint8Array.of(1, 0));
    expect(labelledExamples({ values, labels: column }, { classes }).labels).toEqual(Int32Array.of(1, 0));
  });
});

describe('refuses', () => {
  it.each<[string, Partial<Record<'values' | 'labels', NumberArray>>, DataReason, string]>([
    [
      'NaN, naming the pixel',
      { values: { ...values, values: Float32Array.of(1, 2, 3, Number.NaN) } },
      'VALUE',
      'x.npy has NaN at [1, 0, 1, 0]; expected finite numbers in the range of float32',
    ],
    [
      'infinity',
      { values: { ...values, values: Float64Array.of(1, -Infinity, 3, 4) } },
      'VALUE',
      'x.npy has -Infinity at [0, 0, 1, 0]; expected finite numbers in the range of float32',
    ],
    [
      'what float32 cannot hold',
      { values: { ...values, values: Float64Array.of(1, 2, 1e39, 4) } },
      'VALUE',
      'x.npy has 1e+39 at [1, 0, 0, 0]; expected finite numbers in the range of float32',
    ],
    [
      'fewer labels than examples',
      { labels: array('y.npy', [1], Uint8Array.of(1)) },
      'MISMATCH',
      'x.npy has 2 examples, but y.npy labels of shape [1]; expected as many of both',
    ],
    [
      'labels that are one-hot',
      { labels: array('y.npy', [2, 2], Uint8Array.of(1, 0, 0, 1)) },
      'MISMATCH',
      'x.npy has 2 examples, but y.npy labels of shape [2, 2]; expected as many of both',
    ],
    [
      'a label that is not a class',
      { labels: array('y.npy', [2], Float64Array.of(0, 2)) },
      'MISMATCH',
      'y.npy has label 2 at example 1; expected whole numbers from 0 to 1',
    ],
    [
      'a label below the first',
      { labels: array('y.npy', [2], Float64Array.of(-1, 0)) },
      'MISMATCH',
      'y.npy has label -1 at example 0; expected whole numbers from 0 to 1',
    ],
    [
      'a label that is not whole',
      { labels: array('y.npy', [2], Float32Array.of(0, Number.NaN)) },
      'MISMATCH',
      'y.npy has label NaN at example 1; expected whole numbers from 0 to 1',
    ],
    [
      'values without an axis for the examples',
      { values: array('x.npy', [2], Uint8Array.of(1, 2)) },
      'MISMATCH',
      'x.npy has shape [2]; expected [examples, …], with at least one number',
    ],
    [
      'no examples',
      { values: array('x.npy', [0, 4], new Uint8Array()), labels: array('y.npy', [0], new Uint8Array()) },
      'MISMATCH',
      'x.npy has shape [0, 4]; expected [examples, …], with at least one number',
    ],
  ])('%s', (_, changes, reason, message) => {
    expect(() => labelledExamples({ values, labels, ...changes }, { classes })).toThrow(
      new DataError(reason, message),
    );
  });

  it('examples of another size than is described', () => {
    expect(() => labelledExamples({ values, labels }, { classes, inputShape: [3, 1] })).toThrow(
      new DataError(
        'MISMATCH',
        'x.npy has examples of shape [1, 2, 1]; expected 3 numbers, as inputShape [3, 1] says',
      ),
    );
  });
});
