import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allIndices, batchOf, type LabelledExamples } from './examples.ts';
import { measure, standardized } from './standardize.ts';

const FEATURES = 3;

const table = (rows: readonly (readonly number[])[]): LabelledExamples => ({
  count: rows.length,
  shape: [FEATURES],
  classes: 1,
  values: Float32Array.from(rows.flat()),
  labels: new Int32Array(rows.length),
});

/** One image of 1×2 pixels and two channels. */
const images: LabelledExamples = {
  count: 2,
  shape: [1, 2, 2],
  classes: 1,
  values: Uint8Array.of(0, 51, 102, 51, 204, 51, 102, 51),
  labels: new Int32Array(2),
};

describe('measure', () => {
  it('has a mean and a population deviation for each channel, of bytes as shares of 255', () => {
    const { means, deviations } = measure(images, [0, 1]);
    expect(means[0]).toBeCloseTo(0.4, 6);
    expect(means[1]).toBeCloseTo(0.2, 6);
    expect(deviations[0]).toBeCloseTo(Math.sqrt((0.16 + 0 + 0.16 + 0) / 4), 6);
  });

  it('leaves a channel of one value to be divided by 1', () => {
    expect(measure(images, [0, 1]).deviations[1]).toBe(1);
    // Their sum, divided by their number, is not the value.
    const constant = table(Array.from({ length: 1_000 }, () => [0.1, 0.3, 1e-30]));
    expect([...measure(constant, allIndices(constant)).deviations]).toEqual([1, 1, 1]);
  });

  it('looks at the examples of the indices only', () => {
    const examples = table([
      [1, 2, 3],
      [1e9, 1e9, 1e9],
      [3, 4, 5],
    ]);
    expect([...measure(examples, [0, 2]).means]).toEqual([2, 3, 4]);
    expect([...measure(examples, [0, 2]).deviations]).toEqual([1, 1, 1]);
  });

  it('keeps its digits where the mean is large and the deviation small', () => {
    const { deviations } = measure(
      table([
        [1e6, 0, 0],
        [1e6 + 1, 0, 0],
      ]),
      [0, 1],
    );
    expect(deviations[0]).toBe(0.5);
  });

  it('refuses to measure nothing', () => {
    expect(() => measure(images, [])).toThrow(RangeError);
  });
});

const feature = fc.float({ min: -1_000, max: 1_000, noNaN: true });
const rows = fc.array(fc.tuple(feature, feature, feature), { minLength: 2, maxLength: 50 });

describe('standardized', () => {
  it('gives what it is measured on mean 0 and deviation 1 (or 0 where all are equal)', () => {
    fc.assert(
      fc.property(rows, (values) => {
        const examples = table(values);
        const all = allIndices(examples);
        const before = measure(examples, all);
        const result = standardized(batchOf(examples, all), before);
        for (let k = 0; k < FEATURES; k++) {
          const column = values.map((_, row) => result.values[row * FEATURES + k] as number);
          const mean = column.reduce((a, b) => a + b) / column.length;
          const deviation = Math.sqrt(column.reduce((sum, x) => sum + (x - mean) ** 2, 0) / column.length);
          const isConstant = new Set(values.map((row) => row[k])).size === 1;
          expect(mean).toBeCloseTo(0, 3);
          expect(deviation).toBeCloseTo(isConstant ? 0 : 1, 3);
        }
      }),
    );
  });

  it('changes neither the batch nor its labels', () => {
    const batch = batchOf(images, [1, 0]);
    const before = structuredClone(batch);
    const result = standardized(batch, measure(images, [0, 1]));
    expect(batch).toEqual(before);
    expect(result.values).not.toBe(batch.values);
    expect(result).toMatchObject({ count: 2, shape: [1, 2, 2], labels: batch.labels });
  });
});
