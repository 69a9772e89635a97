/** Labels of studies, where they are given and where they are asked for. */

import type { FieldViolation } from '../resource/errors.ts';
import { characters, listed, quote } from '../resource/quote.ts';

export const MAX_LABELS = 64;
const MAX_CHARACTERS = 63;
const ALLOWED = /^[A-Za-z0-9_./-]*$/;

type Labels = Readonly<Record<string, string>>;

/** What is wrong with labels; each violation names the key. */
export function checkLabels(labels: Labels, field = 'labels'): FieldViolation[] {
  const entries = Object.entries(labels);
  if (entries.length > MAX_LABELS) {
    return [{ field, description: `has ${entries.length} labels; at most ${MAX_LABELS}` }];
  }
  return entries.flatMap(([key, value]) => {
    const where = `${field}[${listed([key])}]`;
    return [
      ...(key === ''
        ? [{ field: where, description: 'has an empty key' }]
        : checkText(key, where, 'its key')),
      ...checkText(value, where, 'its value'),
    ];
  });
}

function checkText(text: string, field: string, what: string): FieldViolation[] {
  const length = characters(text);
  if (length > MAX_CHARACTERS) {
    return [{ field, description: `${what} has ${length} characters; at most ${MAX_CHARACTERS}` }];
  }
  if (ALLOWED.test(text)) return [];
  const description = `${what} ${quote(text)} has other characters than ASCII letters, digits, "-", "_", "." and "/"`;
  return [{ field, description }];
}

/** The same labels in the order of their keys: a message that has them is then the same bytes. */
export const sortedLabels = (labels: Labels): Record<string, string> =>
  Object.fromEntries(Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1)));
