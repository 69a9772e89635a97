/** Tables and lists without frames. */

import Table from 'cli-table3';

/** The parts of a table's frame, none of which is drawn. */
const BLANK = Object.fromEntries(
  ['top', 'bottom', 'mid', 'left', 'right', 'middle'].flatMap((part) =>
    [part, `${part}-mid`, `${part}-left`, `${part}-right`].map((name) => [name, '']),
  ),
);

/** Columns set apart by space alone, without colours: it may go to a file. The first is at the left, or as many as said. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { left = 1 }: { readonly left?: number } = {},
): string {
  const drawn = new Table({
    head: [...head],
    chars: BLANK,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 3 },
    colAligns: head.map((_, i) => (i < left ? 'left' : 'right')),
  });
  for (const row of rows) drawn.push([...row]);
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Names and what they are, one a line. */
export function listing(entries: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...entries.map(([name]) => name.length));
  return entries.map(([name, value]) => `${name.padEnd(width)}   ${value}`.trimEnd()).join('\n');
}
