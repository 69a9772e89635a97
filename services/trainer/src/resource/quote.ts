/** Texts that others wrote, in a request or a file: as messages show them, and how long they are. */

/** Code points of a caller's text that a message repeats. */
const SHOWN = 100;
/** The same of a text in a file, which the message names besides. */
const SHOWN_OF_FILE = 40;
const MOST_NAMES = 10;

/** What a terminal or a log would act on, or nobody would see. */
const INVISIBLE = /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

/**
 * The text in double quotes, with control characters escaped as in JSON. Of a long one only the start, and how long it is:
 * an error travels in the trailers of a call, and most clients give up the connection when these pass 8 KiB.
 */
export function quote(text: string): string {
  const start = startOf(text, SHOWN);
  return start === text ? inQuotes(text) : `${inQuotes(start)} (${characters(text)} characters)`;
}

/** A text from a file in double quotes, escaped as by {@link quote}; of a long one the start. */
export const quoteCell = (text: string): string => inQuotes(startOf(text, SHOWN_OF_FILE));

/** The text, or this many code points of it and an ellipsis. */
export function startOf(text: string, most: number): string {
  // No code point has more than two units: what is beyond is not looked at, however long the text.
  const start = [...text.slice(0, 2 * most)].slice(0, most).join('');
  return start.length === text.length ? text : `${start}…`;
}

/** The text for a message on one line: what is invisible in it as `\u` escapes. */
export const printable = (text: string): string =>
  text.replace(INVISIBLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

const inQuotes = (text: string): string => printable(JSON.stringify(text));

/** Names for a message: the first ones, and how many there are besides. */
export function listed(names: readonly string[]): string {
  const shown = names
    .slice(0, MOST_NAMES)
    .map((name) => (name === '' ? '""' : printable(startOf(name, SHOWN_OF_FILE))))
    .join(', ');
  return names.length > MOST_NAMES ? `${shown} and ${names.length - MOST_NAMES} more` : shown;
}

/** Characters of a text as every limit counts them: code points. */
export function characters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
