/** Figures over several seeds. */

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const halfRange = (values: readonly number[]): number => (Math.max(...values) - Math.min(...values)) / 2;

/** A share in per cent, without the sign. */
export const percent = (share: number): string => (100 * share).toFixed(1);

/** Mean and half of the range, where there are several. */
export const meanPercent = (shares: readonly number[]): string =>
  percent(mean(shares)) + (shares.length > 1 ? ` ± ${percent(halfRange(shares))}` : '');
