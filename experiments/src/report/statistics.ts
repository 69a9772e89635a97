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
const signedPercent = (difference: number, decimals = 1): string =>
  `${difference < 0 ? '−' : '+'}${percent(Math.abs(difference), decimals)}`;

/** A mean that only whole figures have, with its interval. */
export interface Estimated {
  readonly mean: number;
  /** Student's, 95 %; absent for one value alone. */
  readonly interval: readonly [low: number, high: number] | undefined;
}

/** @returns nothing where one of as many values as there should be is missing, or there are none */
export function estimate(values: readonly number[], wanted: number): Estimated | undefined {
  if (values.length === 0 || values.length < wanted) return undefined;
  return { mean: mean(values), interval: studentInterval(values) };
}

/** The mean of differences of shares and its interval, in points, with dashes where there is none. */
export const signedCells = (
  estimated: Estimated | undefined,
  decimals = 1,
): [mean: string, interval: string] => [
  estimated === undefined ? '–' : signedPercent(estimated.mean, decimals),
  estimated?.interval?.map((bound) => signedPercent(bound, decimals)).join(' to ') ?? '–',
];

/** Quantile .975 of Student's distribution by degrees of freedom, from 1 on. */
const QUANTILES = [
  ...[12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228],
  ...[2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086],
  ...[2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042],
];

/** Where the mean is with 95 % confidence, if values are normal; a little wider than that beyond 31 of them. Undefined for one alone. */
export function studentInterval(values: readonly number[]): readonly [low: number, high: number] | undefined {
  const quantile = QUANTILES[Math.min(values.length, QUANTILES.length + 1) - 2];
  if (quantile === undefined) return undefined;
  const middle = mean(values);
  const variance = values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
  const half = quantile * Math.sqrt(variance / values.length);
  return [middle - half, middle + half];
}
