/** Figures as people read them. */

import { styleText } from 'node:util';

/** A loss or a share. */
export const figure = (value: number | undefined): string => value?.toFixed(3) ?? '–';

/** Three digits, without a string of zeros. */
export function short(value: number | undefined): string {
  if (value === undefined) return '–';
  return Math.abs(value) >= 1e-3 || value === 0 ? value.toPrecision(3) : value.toExponential(1);
}

/** The value of a hyperparameter: of a vector the smallest and the largest, of a choice what was chosen. */
export function valueWords(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : short(value);
  if (!isVector(value)) return value === undefined ? '–' : String(value);
  const { smallest, largest } = spanOf(value);
  return smallest === largest ? short(smallest) : `${short(smallest)}…${short(largest)}`;
}

/** Whether a hyperparameter has several values. */
export const isVector = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.length > 0;

/** One number for a vector. */
export const meanOf = (vector: readonly number[]): number =>
  vector.reduce((sum, entry) => sum + entry, 0) / vector.length;

/** What a vector spans. It may have more values than a call has arguments. */
export const spanOf = (
  vector: readonly number[],
): { readonly smallest: number; readonly largest: number } => ({
  smallest: vector.reduce((least, entry) => Math.min(least, entry), Number.POSITIVE_INFINITY),
  largest: vector.reduce((most, entry) => Math.max(most, entry), Number.NEGATIVE_INFINITY),
});

/** How many there are of something. @param of the word for one; an s makes several of it. */
export const counted = (count: number, of: string): string => `${count} ${of}${count === 1 ? '' : 's'}`;

/** What a study is predicted to cost; empty where its client trains, and nothing is predicted. */
export const costWords = ({ predictedCost }: { readonly predictedCost: number }): string =>
  predictedCost === 0 ? '' : `predicted to cost ${predictedCost.toFixed(2)} plain runs`;

/** Minutes and seconds, and hours where there are any. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = `${String(whole % 60).padStart(2, '0')}`;
  return hours === 0 ? `${minutes}:${rest}` : `${hours}:${String(minutes).padStart(2, '0')}:${rest}`;
}

/** Text of progress, which goes to standard error, in a colour where that is a terminal with colours. */
export const coloured = (colour: Parameters<typeof styleText>[0], text: string): string =>
  styleText(colour, text, { stream: process.stderr });

/** A verdict in the colour of how far it goes, for progress. */
export function verdictText(verdict: string): string {
  if (verdict === 'TRUSTED') return coloured('green', verdict);
  return coloured(verdict === 'DIVERGING' ? 'red' : 'yellow', verdict);
}
