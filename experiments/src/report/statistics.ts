/** Figures over several seeds. */

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const halfRange = (values: readonly number[]): number => (Math.max(...values) - Math.min(...values)) / 2;

/** A share in per cent, without the sign. */
export const percent = (share: number, decimals = 1): string => (100 * share).toFixed(decimals);

/** Mean and half of the range, where there are several. */
export const meanPercent = (shares: readonly number[]): string =>
  percent(mean(shares)) + (shares.length > 1 ? ` ± ${percent(halfRange(shares))}` : '');

/** A difference of shares in points, with its sign. */
export const signedPercent = (difference: number, decimals = 1): string =>
  `${difference < 0 ? '−' : '+'}${percent(Math.abs(difference), decimals)}`;

/** Quantile .975 of Student's distribution by degrees of freedom, from 1 on. */
const QUANTILES = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201];

/** Where the mean is with 95 % confidence, if values are normal; undefined for one alone, and beyond 12. */
export function studentInterval(values: readonly number[]): readonly [low: number, high: number] | undefined {
  const quantile = QUANTILES[values.length - 2];
  if (quantile === undefined) return undefined;
  const middle = mean(values);
  const variance = values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
  const half = quantile * Math.sqrt(variance / values.length);
  return [middle - half, middle + half];
}
