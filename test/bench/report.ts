/** A run of the benchmarks as a Markdown document, and its comparison as a table for terminals. */

import { type Comparison, compareRuns, type Verdict } from './compare.ts';
import type { Row } from './row.ts';
import type { Run } from './run-file.ts';
import { readable, textTable } from './table.ts';

const SAID: Readonly<Record<Verdict, string>> = {
  higher: 'higher',
  lower: 'lower',
  noise: 'within noise',
  once: 'not repeated',
  same: 'the same',
  new: 'new',
  gone: 'not measured now',
};

const NOTE =
  'Bounds are of the ratio, whichever repetitions are compared. "Within noise": 1 is between them. "Not repeated": a run ' +
  'measured it once, so that nothing is known of its noise; `--repeats 3` tells.';

/** A section for each group of rows, and one for the comparison where there is an earlier run. */
export function markdownReport(run: Run, earlier: Run | undefined): string {
  const groups = Map.groupBy(run.rows, ({ name }) => name.slice(0, name.indexOf('.')));
  const parts = [
    '# Benchmarks',
    [run.measured, run.conditions].filter((text) => text !== undefined).join(', '),
    ...[...groups].flatMap(([group, rows]) => [`## ${group}`, markdownTable(HEAD, rows.map(cells))]),
  ];
  if (earlier !== undefined) {
    parts.push(
      '## Compared with an earlier run',
      [earlier.measured, earlier.conditions].filter((text) => text !== undefined).join(', '),
      markdownTable(COMPARED, compareRuns(earlier.rows, run.rows).map(comparedCells)),
      NOTE,
    );
  }
  return `${parts.join('\n\n')}\n`;
}

/** @param framed for people at a terminal. */
export const comparisonTable = (earlier: Run, now: Run, framed: boolean): string =>
  `${textTable(COMPARED, compareRuns(earlier.rows, now.rows).map(comparedCells), framed)}\n${NOTE}`;

const HEAD = ['row', 'value', 'unit', 'n', 'repetitions'];
const COMPARED = ['row', 'before', 'now', 'unit', 'ratio', 'bounds', ''];

const cells = ({ name, value, unit, n, repeats = [] }: Row): string[] => [
  `\`${name}\``,
  readable(value),
  unit,
  String(n),
  repeats.map(readable).join(', '),
];

const comparedCells = ({ name, before, now, unit, ratio, bounds, verdict }: Comparison): string[] => [
  name,
  optional(before),
  optional(now),
  unit,
  optional(ratio),
  bounds ? `${readable(bounds[0])} to ${readable(bounds[1])}` : '',
  SAID[verdict],
];

const optional = (value: number | undefined): string => (value === undefined ? '' : readable(value));

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = head.map((name) => (['row', 'unit', 'repetitions', ''].includes(name) ? '---' : '---:'));
  return [head, rule, ...rows].map((line) => `| ${line.join(' | ')} |`).join('\n');
}
