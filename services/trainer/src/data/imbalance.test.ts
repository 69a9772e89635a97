import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError } from './errors.ts';
import { allIndices, type LabelledExamples } from './examples.ts';
import { imbalanced, imbalancedCounts } from './imbalance.ts';

/** Examples of one value, the classes in turn. */
function balanced(perClass: number, classes: number): LabelledExamples {
  const count = perClass * classes;
  return {
    count,
    shape: [1],
    classes,
    values: new Float32Array(count),
    labels: Int32Array.from({ length: count }, (_, index) => index % classes),
  };
}

const countsOf = ({ labels, classes }: LabelledExamples, indices: Uint32Array): number[] =>
  Array.from(
    { length: classes },
    (_, label) => [...indices].filter((index) => labels[index] === label).length,
  );

describe('imbalancedCounts', () => {
  it('is floor(n_max·f^(−c/C)): CIFAR-10 with f = 100', () => {
    expect(imbalancedCounts(5_000, 10, 100)).toEqual([5000, 3154, 1990, 1255, 792, 500, 315, 199, 125, 79]);
  });

  it('is floor(n_max·f^(−c/C)): the ends of CIFAR-100 with f = 50', () => {
    const counts = imbalancedCounts(500, 100, 50);
    expect(counts.slice(0, 3)).toEqual([500, 480, 462]);
    expect(counts.at(-1)).toBe(10);
  });

  it('keeps counts that are whole, whatever a power rounds to', () => {
    for (let root = 2; root <= 10; root++) {
      expect(imbalancedCounts(root ** 7, 7, root ** 7)).toEqual(
        Array.from({ length: 7 }, (_, label) => root ** (7 - label)),
      );
    }
  });

  it('keeps all for a factor of 1', () => {
    expect(imbalancedCounts(7, 3, 1)).toEqual([7, 7, 7]);
  });

  it.each([0.5, 0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a factor of %s', (factor) => {
    expect(() => imbalancedCounts(7, 3, factor)).toThrow(RangeError);
  });
});

describe('imbalanced', () => {
  it('keeps as many of each class as the counts say, each at most once, in ascending order', () => {
    const cases = fc.record({
      perClass: fc.integer({ min: 10, max: 40 }),
      classes: fc.integer({ min: 2, max: 6 }),
      factor: fc.double({ min: 1, max: 10, noNaN: true }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(cases, ({ perClass, classes, ...options }) => {
        const examples = balanced(perClass, classes);
        const chosen = imbalanced(examples, allIndices(examples), options);
        expect(countsOf(examples, chosen)).toEqual(imbalancedCounts(perClass, classes, options.factor));
        expect([...new Set(chosen)].sort((a, b) => a - b)).toEqual([...chosen]);
      }),
    );
  });

  it('chooses among the indices only, with the largest class among them as n_max', () => {
    const examples = balanced(10, 2);
    const odd = Uint32Array.of(0, 2, 4, 6, 1, 3, 5, 7);
    const chosen = imbalanced(examples, odd, { factor: 4, seed: 0 });
    expect(countsOf(examples, chosen)).toEqual([4, 2]);
    expect([...chosen].every((index) => odd.includes(index))).toBe(true);
  });

  it('keeps all of a class that has fewer', () => {
    const examples = { ...balanced(4, 2), labels: Int32Array.of(0, 0, 0, 0, 0, 0, 0, 1) };
    const chosen = imbalanced(examples, allIndices(examples), { factor: 4, seed: 0 });
    expect(countsOf(examples, chosen)).toEqual([7, 1]);
  });

  it('is the same for the same seed, and another for another', () => {
    const examples = balanced(100, 3);
    const choose = (seed: number) => imbalanced(examples, allIndices(examples), { factor: 10, seed });
    expect(choose(1)).toEqual(choose(1));
    expect(choose(1)).not.toEqual(choose(2));
  });

  it('refuses to leave a class without examples', () => {
    const examples = balanced(5, 3);
    expect(() => imbalanced(examples, allIndices(examples), { factor: 100, seed: 0 })).toThrow(
      new DataError(
        'TOO_FEW_EXAMPLES',
        'an imbalance factor of 100 leaves class 2 no example of the 5 that the largest class has',
      ),
    );
  });
});
