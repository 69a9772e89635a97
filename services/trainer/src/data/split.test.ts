import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError } from './errors.ts';
import { splitStratified } from './split.ts';

const CLASSES = 4;

/** Labels of at least two examples, and how many of them to validate on. */
const cases = fc
  .array(fc.integer({ min: 0, max: CLASSES - 1 }), { minLength: 2, maxLength: 300 })
  .chain((labels) =>
    fc.record({
      labels: fc.constant(labels),
      validationExamples: fc.integer({ min: 1, max: labels.length - 1 }),
      seed: fc.nat(),
    }),
  );

const examples = (labels: readonly number[]) => ({
  count: labels.length,
  classes: CLASSES,
  labels: Int32Array.from(labels),
});

const ascending = (a: number, b: number): number => a - b;

describe('splitStratified', () => {
  it('puts each example into one part, and as many as asked into the validation part', () => {
    fc.assert(
      fc.property(cases, ({ labels, ...options }) => {
        const { train, validation } = splitStratified(examples(labels), options);
        expect(validation.length).toBe(options.validationExamples);
        expect([...train, ...validation].sort(ascending)).toEqual([...labels.keys()]);
        expect([...train].sort(ascending)).toEqual([...train]);
        expect([...validation].sort(ascending)).toEqual([...validation]);
      }),
    );
  });

  it('keeps the proportions of the classes, within one example', () => {
    fc.assert(
      fc.property(cases, ({ labels, ...options }) => {
        const { validation } = splitStratified(examples(labels), options);
        for (let label = 0; label < CLASSES; label++) {
          const size = labels.filter((candidate) => candidate === label).length;
          const exact = (options.validationExamples * size) / labels.length;
          const found = [...validation].filter((index) => labels[index] === label).length;
          expect(Math.abs(found - exact)).toBeLessThan(1);
        }
      }),
    );
  });

  it('gives what does not divide to the classes with the largest remainder, then to the first', () => {
    // Exact shares of 4: 0.8, 1.6, 1.6; of 5: 1, 2, 2.
    const labels = [0, 0, 1, 1, 1, 1, 2, 2, 2, 2];
    const perClass = (validationExamples: number) => {
      const { validation } = splitStratified(examples(labels), { validationExamples, seed: 5 });
      return [0, 1, 2].map((label) => [...validation].filter((index) => labels[index] === label).length);
    };
    expect(perClass(4)).toEqual([1, 2, 1]);
    expect(perClass(5)).toEqual([1, 2, 2]);
  });

  it('is the same for the same seed, and another for another', () => {
    const whole = examples(Array.from({ length: 1_000 }, (_, index) => index % CLASSES));
    const split = (seed: number) => splitStratified(whole, { validationExamples: 100, seed });
    expect(split(3)).toEqual(split(3));
    expect(split(3)).not.toEqual(split(4));
  });

  it.each([2, 3, -1, 0.5])('refuses to take %s of 2 examples', (validationExamples) => {
    expect(() => splitStratified(examples([0, 1]), { validationExamples, seed: 0 })).toThrow(
      new DataError(
        'TOO_FEW_EXAMPLES',
        `${validationExamples} validation examples cannot be taken from 2 training examples`,
      ),
    );
  });
});
