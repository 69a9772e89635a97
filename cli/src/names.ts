/** Names as people write them on the command line. */

import { InvalidArgumentError, Option } from 'commander';

/** The resource name of a study that is given with or without `studies/`. */
export const studyName = (text: string): string => (text.includes('/') ? text : `studies/${text}`);

/** Of a study, a trial or an outer step the last part, which is enough where it is clear what is meant. */
export const shortName = (name: string): string => name.slice(name.lastIndexOf('/') + 1);

/** A trial by its position, or by its resource name. */
export const toTrial = (text: string): number | string => (/^\d+$/.test(text) ? Number(text) : text);

/** The number of an outer step. */
export function toOuterStep(text: string): number {
  const index = Number(text);
  if (Number.isSafeInteger(index) && index >= 1) return index;
  throw new InvalidArgumentError('It must be the number of an outer step, 1 for the first.');
}

/** `team=vision` as an entry beside those before; without `=` the value is empty. */
export function toLabel(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [key = '', ...value] = text.split('=');
  if (key !== '') return { ...before, [key]: value.join('=') };
  throw new InvalidArgumentError('It must be key=value.');
}

/** An option that may be given several times, each time one of a few words in letters of any case. */
export const severalOf = (flags: string, description: string, choices: readonly string[]): Option =>
  new Option(flags, description).choices(choices).argParser((text: string, before: string[] = []) => {
    const word = text.toLowerCase();
    if (choices.includes(word)) return [...before, word];
    throw new InvalidArgumentError(`Allowed choices are ${choices.join(', ')}.`);
  });

/** @throws InvalidArgumentError */
export function toCount(text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count >= 1) return count;
  throw new InvalidArgumentError('It must be a whole number from 1.');
}

/** Whether the number is one that is taken is the server's to say. @throws InvalidArgumentError */
export function toNumber(text: string): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isFinite(number)) return number;
  throw new InvalidArgumentError('It must be a number.');
}
