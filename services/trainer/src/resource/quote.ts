/** What a caller wrote: as messages show it, and how long it is. */

/** Code points of a caller's text that a message repeats. */
const SHOWN = 100;

/** Characters that JSON leaves as they are and that a terminal or a log would act on. */
const INVISIBLE = /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/**
 * The text in double quotes, with control characters escaped as in JSON. Of a long one only the start, and how long it is:
 * an error travels in the trailers of a call, and most clients give up the connection when these pass 8 KiB.
 */
export function quote(text: string): string {
  const start = [...text.slice(0, 2 * SHOWN)].slice(0, SHOWN).join('');
  if (start.length === text.length) return `"${escaped(text)}"`;
  return `"${escaped(start)}…" (${characters(text)} characters)`;
}

function escaped(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replace(INVISIBLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Characters of a text as every limit counts them: code points. */
export function characters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
