import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError } from './errors.ts';
import { prepare } from './prepare.ts';
import { trainingSizes } from './training-sizes.ts';

/** Examples of one value, with these numbers of each class. */
function examplesOf(classSizes: readonly number[]) {
  const labels = Int32Array.from(
    classSizes.flatMap((size, label) => Array.from({ length: size }, () => label)),
  );
  const count = labels.length;
  return { count, shape: [1], classes: classSizes.length, values: new Float32Array(count), labels };
}

const cases = fc
  .record({
    classSizes: fc
      .array(fc.nat(40), { minLength: 2, maxLength: 6 })
      .filter((sizes) => sizes.some((size) => size > 2)),
    share: fc.double({ min: 0.01, max: 0.95, noNaN: true }),
    imbalanceFactor: fc.oneof(fc.constant(1), fc.double({ min: 1, max: 1e6, noNaN: true })),
    seed: fc.nat(9),
  })
  .map(({ share, classSizes, ...rest }) => {
    const total = classSizes.reduce((a, b) => a + b, 0);
    return { ...rest, classSizes, validationExamples: Math.min(total - 1, Math.ceil(share * total)) };
  });

describe('trainingSizes', () => {
  it('is what a trial finds when its data is prepared', () => {
    fc.assert(
      fc.property(cases, ({ classSizes, validationExamples, imbalanceFactor, seed }) => {
        const { count, emptied } = trainingSizes(classSizes, { validationExamples, imbalanceFactor });
        const examples = examplesOf(classSizes);
        const start = () =>
          prepare(
            { train: examples, test: examples },
            { seed, batchSize: 1, validationExamples, imbalanceFactor },
          );
        if (emptied === undefined && count > 0) expect(start().train.count).toBe(count);
        else expect(start).toThrow(DataError);
      }),
    );
  });

  it('names the first class that is left without an example', () => {
    const sizes = trainingSizes([100, 100, 100], { validationExamples: 30, imbalanceFactor: 1e4 });
    expect(sizes).toMatchObject({ emptied: 2, largest: 90 });
  });
});
