/** Class-imbalanced subsets: from balanced examples, fewer and fewer of each further class (the paper's section 4.2). */

import { DataError } from './errors.ts';
import { type Indices, type LabelledExamples, labelsOf } from './examples.ts';
import { randomStream, shuffled } from './random.ts';
import { membersByClass } from './split.ts';

export interface ImbalanceOptions {
  /** f, at least 1: about how many times as many examples class 0 keeps as the last class; 1 keeps all. */
  readonly factor: number;
  /** The same seed chooses the same examples. */
  readonly seed: number;
}

/**
 * Examples that each class keeps: n_c = floor(n_max·f^(−c/C)), c = 0…C−1. The last class keeps n_max·f^(−(C−1)/C), so that
 * the largest is not quite f times the smallest.
 * @param largest n_max, the size of the largest class before.
 */
export function imbalancedCounts(largest: number, classes: number, factor: number): number[] {
  if (!(factor >= 1 && Number.isFinite(factor))) {
    throw new RangeError(`an imbalance factor is a finite number from 1 on, not ${factor}`);
  }
  return Array.from({ length: classes }, (_, label) => {
    const exact = largest * factor ** (-label / classes);
    // A power that is off by an ulp must not take an example from a count that is whole.
    return Math.floor(exact + 1e-9);
  });
}

/**
 * Chooses at random within each class as many examples as {@link imbalancedCounts} says, or all of a class that has fewer.
 * @returns indices, ascending.
 * @throws DataError TOO_FEW_EXAMPLES when a class would keep none.
 */
export function imbalanced(
  examples: LabelledExamples,
  indices: Indices,
  { factor, seed }: ImbalanceOptions,
): Uint32Array {
  const members = membersByClass(labelsOf(examples, indices), examples.classes);
  const largest = Math.max(...members.map(({ length }) => length));
  const counts = imbalancedCounts(largest, examples.classes, factor);
  const chosen = members.flatMap((positions, label) => {
    const count = counts[label] as number;
    if (count === 0) {
      throw new DataError(
        'TOO_FEW_EXAMPLES',
        `an imbalance factor of ${factor} leaves class ${label} no example of the ${largest} that the largest class has`,
      );
    }
    const order = shuffled(positions, randomStream(seed, 'imbalance', label));
    return [...order.subarray(0, count)].map((position) => indices[position] as number);
  });
  return Uint32Array.from(chosen).sort();
}
