/** Whether the data that an experiment needs is there. */

import type { GlocalClient } from '@glocal/sdk';
import type { Experiment, Size } from './experiment.ts';

/** Data is missing; the message says which files, where they are looked for, and how to get them. */
export class MissingDataError extends Error {
  override readonly name = 'MissingDataError';
}

/** Those that a form of an experiment trains with. */
export const datasetsOf = (
  { datasets: { full, quick = full } }: Pick<Experiment, 'datasets'>,
  size: Size,
): readonly string[] => (size === 'quick' ? quick : full);

/** @throws MissingDataError */
export async function requireDatasets(
  client: Pick<GlocalClient, 'problems'>,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  const { datasets } = await client.problems();
  const missing = ids.flatMap((id) => {
    const dataset = datasets.find((known) => known.id === id);
    if (dataset === undefined) return [unknown(id)];
    const { files } = dataset;
    if (files === undefined || files.state === 'PRESENT') return [];
    return [`${id}: ${files.missing.join(', ')} not found. To get them: ${files.repair}`];
  });
  if (missing.length > 0) throw new MissingDataError(missing.join('\n'));
}

const where = process.env.GLOCAL_DATA_DIR ?? 'not set';

/** One that users bring. */
const unknown = (id: string): string =>
  `${id}: the server has no such data set. Put a folder ${id} with ${BROUGHT[id] ?? 'its files and a dataset.json'} ` +
  `into the server's GLOCAL_DATA_DIR (here: ${where}); docs/data.md has the dataset.json under "Your own data"`;

const IDX = ['train-images', 'train-labels', 't10k-images', 't10k-labels'].map(
  (name) => `${name}-idx${name.endsWith('images') ? 3 : 1}-ubyte.gz`,
);

/** Files of data sets that do not come with Glocal. */
const BROUGHT: Readonly<Record<string, string>> = {
  kmnist: `${IDX.join(', ')} (from codh.rois.ac.jp/kmnist) and a dataset.json of the format idx`,
  letters:
    'letters.csv (Letter Recognition from archive.ics.uci.edu, with a header whose column letter has the class) and a ' +
    'dataset.json of the format csv that standardises and takes a testFraction of 0.2',
};
