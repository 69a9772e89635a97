/** Whether a server has the data that studies name. */

import type { DatasetInfo, Problems } from '@glocal/sdk';
import { counted } from '../words.ts';
import { type Finding, fault, good, unknown, warning } from './finding.ts';

const CHECK = 'data sets';

/**
 * What a server has to train on, in a line, and what its data sets lack that nobody can download.
 * @param serve the command that starts a trainer there.
 */
export function dataFindings({ datasets, models, modules }: Problems, serve: string): Finding[] {
  if (datasets.length === 0) return [fault(CHECK, 'the server has none', `GLOCAL_DATA_DIR=FOLDER ${serve}`)];
  const idsOf = (...states: string[]) =>
    datasets
      .filter(({ files }) => states.includes(files?.state ?? 'UNKNOWN'))
      .map(({ id }) => id)
      .join(', ');
  const absent = idsOf('DOWNLOADABLE');
  const parts = [
    idsOf('PRESENT', 'UNKNOWN'),
    absent && `downloaded when a trial needs them: ${absent}`,
    counted(models.length, 'model'),
    modules.length > 0 && counted(modules.length, 'module'),
  ];
  const missing = datasets.filter(({ files }) => files?.state === 'MISSING');
  return [good(CHECK, parts.filter(Boolean).join('; ')), ...missing.flatMap(lackOf)];
}

/** Whether a trial on a data set finds its files. */
export function datasetFinding(dataset: DatasetInfo): Finding {
  const { id, files } = dataset;
  if (files === undefined) return unknown(CHECK, `${id}: the server is too old to say whether it is there`);
  const [lack] = lackOf(dataset);
  return lack ?? good(CHECK, `${id} is on the server's machine`);
}

function lackOf({ id, files }: DatasetInfo): Finding[] {
  if (files === undefined) return [];
  const { state, missing, repair } = files;
  const lack = `${id} lacks ${missing.join(', ')}`;
  if (state === 'DOWNLOADABLE')
    return [warning(CHECK, `${lack}: the first trial will try to download ${them(missing)}`, repair)];
  return state === 'MISSING' ? [fault(CHECK, `${lack}: trials on it will fail`, repair)] : [];
}

const them = ({ length }: readonly string[]): string => (length === 1 ? 'it' : 'them');
