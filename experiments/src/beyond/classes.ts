/** Class weights that are known beforehand, from the numbers of examples that the classes have. */

/** Examples of each class after `problem.imbalanceFactor` (docs/data.md). @param largest of the largest class */
export const classSizes = (largest: number, classes: number, factor: number): number[] =>
  Array.from({ length: classes }, (_, c) => Math.floor(largest * factor ** (-c / classes)));

/** Inverse frequency to a power: 1 makes all classes count alike, 0 leaves them. */
export const inverseFrequency = (sizes: readonly number[], power = 1): number[] =>
  withMeanLossKept(sizes, (size) => size ** -power);

/** Effective numbers of samples (Cui et al. 2019): (1 − β)/(1 − βⁿ). */
export const effectiveNumber = (sizes: readonly number[], beta: number): number[] =>
  withMeanLossKept(sizes, (size) => (1 - beta) / (1 - beta ** size));

/** Scaled so that the mean over the examples is 1, as it is without weights: the scale of the loss is that of the rate. */
function withMeanLossKept(sizes: readonly number[], weight: (size: number) => number): number[] {
  const weights = sizes.map(weight);
  const examples = sizes.reduce((sum, size) => sum + size, 0);
  const weighted = sizes.reduce((sum, size, c) => sum + size * (weights[c] ?? 0), 0);
  return weights.map((each) => (each * examples) / weighted);
}
