import { describe, expect, it } from 'vitest';
import { type LabelledExamples, labelsOf, subset, toFloat32 } from './examples.ts';

const bytes: LabelledExamples = {
  count: 3,
  shape: [1, 2, 1],
  classes: 3,
  values: Uint8Array.of(0, 255, 51, 102, 153, 204),
  labels: Int32Array.of(2, 0, 1),
};
const floats: LabelledExamples = { ...bytes, values: Float32Array.of(0, -1.5, 2, 3, 255, 7) };

describe('toFloat32', () => {
  it('gives bytes as shares of 255, in the order of the indices', () => {
    expect(toFloat32(bytes, [2, 0])).toEqual(Float32Array.of(153 / 255, 204 / 255, 0, 1));
  });

  it('gives floats as they are', () => {
    expect(toFloat32(floats, [2, 0])).toEqual(Float32Array.of(255, 7, 0, -1.5));
  });

  it('gives an array of its own each time', () => {
    expect(toFloat32(bytes, [0]).buffer).not.toBe(toFloat32(bytes, [0]).buffer);
  });
});

it('gives the labels in the order of the indices', () => {
  expect(labelsOf(bytes, Uint32Array.of(2, 0, 2))).toEqual(Int32Array.of(1, 2, 1));
});

describe('subset', () => {
  it('takes values and labels together', () => {
    expect(subset(bytes, [1, 2])).toEqual({
      ...bytes,
      count: 2,
      values: Uint8Array.of(51, 102, 153, 204),
      labels: Int32Array.of(0, 1),
    });
  });

  it('keeps floats floats', () => {
    expect(subset(floats, [1]).values).toEqual(Float32Array.of(2, 3));
  });
});

it.each([3, -1, 0.5, Number.NaN])('says that there is no example %s', (index) => {
  for (const take of [toFloat32, labelsOf, subset]) {
    expect(() => take(bytes, [0, index])).toThrow(
      new RangeError(`there is no example ${index}; there are 3, counted from 0`),
    );
  }
});
