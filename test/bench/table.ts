/** What `npm run bench` prints. */

import Table from 'cli-table3';
import type { Row } from './row.ts';

const HEAD = ['row', 'value', 'unit', 'n'];
/** Columns of names, and not of figures. */
const WORDS = ['row', 'unit', ''];
/** The parts of a table's frame, none of which is drawn. */
const BLANK = Object.fromEntries(
  ['top', 'bottom', 'mid', 'left', 'right', 'middle'].flatMap((part) =>
    [part, `${part}-mid`, `${part}-left`, `${part}-right`].map((name) => [name, '']),
  ),
);

/** @param framed for people at a terminal; elsewhere columns are set apart by space alone. Never with colours. */
export const formatTable = (rows: readonly Row[], framed: boolean): string =>
  textTable(
    HEAD,
    rows.map(({ name, value, unit, n }) => [name, readable(value), unit, String(n)]),
    framed,
  );

/** Figures to the right, words to the left. */
export function textTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  framed: boolean,
): string {
  const table = new Table({
    head: [...head],
    colAligns: head.map((name) => (WORDS.includes(name) ? 'left' : 'right')),
    ...(framed ? {} : { chars: BLANK }),
    style: { head: [], border: [], ...(framed ? {} : { 'padding-left': 0, 'padding-right': 3 }) },
  });
  for (const cells of rows) table.push([...cells]);
  return table.toString().replaceAll(/ +$/gm, '');
}

/** Four digits, or a whole number as it is; without a string of zeros. */
export function readable(value: number): string {
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  if (size < 1e-3) return value.toExponential(1);
  return size < 1e3 ? value.toPrecision(4) : value.toFixed(0);
}
