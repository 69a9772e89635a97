/** How many examples a trial trains on, known from the sizes of the classes before anything is prepared. */

import { imbalancedCounts } from './imbalance.ts';
import { apportion } from './split.ts';

export interface TrainingSizesOptions {
  /** Taken from the training part for validation, fewer than it has. */
  readonly validationExamples: number;
  /** At least 1, which keeps all. */
  readonly imbalanceFactor: number;
}

/** What is left to train on. */
export interface TrainingSizes {
  /** Examples in all. */
  readonly count: number;
  /** The first class that the imbalance would leave without any example: `prepare` refuses that. */
  readonly emptied: number | undefined;
  /** Size of the largest class before the imbalance. */
  readonly largest: number;
}

/**
 * What `prepare` makes of a data set, for every seed.
 * @param classSizes training examples of each class, before those for validation are taken.
 */
export function trainingSizes(
  classSizes: readonly number[],
  { validationExamples, imbalanceFactor }: TrainingSizesOptions,
): TrainingSizes {
  const quotas = apportion(validationExamples, classSizes);
  const sizes = classSizes.map((size, label) => size - (quotas[label] as number));
  const largest = sizes.reduce((most, size) => Math.max(most, size), 0);
  const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);
  if (imbalanceFactor === 1) return { count: sum(sizes), emptied: undefined, largest };
  const kept = imbalancedCounts(largest, sizes.length, imbalanceFactor);
  const emptied = kept.indexOf(0);
  return {
    count: sum(sizes.map((size, label) => Math.min(size, kept[label] as number))),
    emptied: emptied < 0 ? undefined : emptied,
    largest,
  };
}
