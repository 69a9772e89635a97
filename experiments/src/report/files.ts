/** What an experiment leaves in its folder. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writePicture } from '@glocal/cli/files';
import type { Findings } from '../experiment.ts';
import type { Finished } from '../outcome.ts';
import { csv, markdown } from './table.ts';

/** What `results.json` has beside the findings. */
export interface Results {
  readonly experiment: string;
  readonly size: string;
  readonly shortened: readonly string[];
  readonly seeds: number;
  readonly arms: readonly Finished[];
  readonly [circumstance: string]: unknown;
}

/** Writes `results.json`, `tables.md`, and a file in `tables` and two in `figures` for each. */
export async function writeResults(
  folder: string,
  results: Results,
  { tables, figures }: Findings,
): Promise<void> {
  const [tableFolder, figureFolder] = [join(folder, 'tables'), join(folder, 'figures')];
  await Promise.all([tableFolder, figureFolder].map((path) => mkdir(path, { recursive: true })));
  await writeFile(join(folder, 'results.json'), `${JSON.stringify({ ...results, tables }, null, 2)}\n`);
  await writeFile(join(folder, 'tables.md'), tables.map(markdown).join('\n'));
  for (const table of tables) await writeFile(join(tableFolder, `${table.id}.csv`), csv(table));
  for (const { id, svg } of figures) {
    for (const kind of ['svg', 'png']) await writePicture(join(figureFolder, `${id}.${kind}`), svg);
  }
}
