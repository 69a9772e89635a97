/** Splits training examples into those to train on and those to validate on. */

import { DataError } from './errors.ts';
import { allIndices, type LabelledExamples } from './examples.ts';
import { randomStream, shuffled } from './random.ts';

/** Indices of examples, each ascending; together all, none in both. */
export interface Split {
  readonly train: Uint32Array;
  readonly validation: Uint32Array;
}

export interface SplitOptions {
  /** Size of the validation part. */
  readonly validationExamples: number;
  /** The same seed gives the same split. */
  readonly seed: number;
}

/**
 * Takes validation examples at random such that both parts have the classes in the proportions of the whole, within one
 * example a class.
 * @throws DataError TOO_FEW_EXAMPLES when nothing would be left to train on.
 */
export function splitStratified(
  { count, classes, labels }: Pick<LabelledExamples, 'count' | 'classes' | 'labels'>,
  { validationExamples, seed }: SplitOptions,
): Split {
  if (!Number.isInteger(validationExamples) || validationExamples < 0 || validationExamples >= count) {
    throw new DataError(
      'TOO_FEW_EXAMPLES',
      `${validationExamples} validation examples cannot be taken from ${count} training examples`,
    );
  }
  const members = membersByClass(labels, classes);
  const quotas = apportion(
    validationExamples,
    members.map(({ length }) => length),
  );
  const isValidation = new Uint8Array(count);
  members.forEach((indices, label) => {
    const order = shuffled(indices, randomStream(seed, 'split', label));
    for (const index of order.subarray(0, quotas[label])) isValidation[index] = 1;
  });
  const all = allIndices({ count });
  return {
    train: all.filter((index) => isValidation[index] === 0),
    validation: all.filter((index) => isValidation[index] === 1),
  };
}

/** Indices of the examples of each class, ascending. */
export function membersByClass(labels: ArrayLike<number>, classes: number): number[][] {
  const members: number[][] = Array.from({ length: classes }, () => []);
  for (let index = 0; index < labels.length; index++) members[labels[index] as number]?.push(index);
  return members;
}

/**
 * Shares of a total in proportion to sizes, by the largest remainder; of equal remainders the first.
 * @returns whole numbers that add up to the total, each within one of its exact share.
 */
export function apportion(total: number, sizes: readonly number[]): number[] {
  const whole = sizes.reduce((a, b) => a + b, 0);
  const shares = sizes.map((size) => Math.floor((total * size) / whole));
  const missing = total - shares.reduce((a, b) => a + b, 0);
  const byRemainder = sizes
    .map((size, index) => ({ index, remainder: (total * size) % whole }))
    .sort((a, b) => b.remainder - a.remainder || a.index - b.index);
  for (const { index } of byRemainder.slice(0, missing)) shares[index] = (shares[index] as number) + 1;
  return shares;
}
