/** Whether the files of data sets are on this machine: looked for, and not read. */

import {
  type DatasetFiles,
  DatasetFilesState,
  type DatasetInfo,
} from '@glocal/proto/glocal/v1/study_service';
import { fetchData, REINSTALL } from '../resource/installation.ts';
import { DataError } from './errors.ts';
import { MANIFEST } from './manifest.ts';
import { knownDataset } from './registry.ts';
import type { DatasetSummary } from './summary.ts';
import { missingUserFiles } from './user-datasets.ts';

const PRESENT: DatasetFiles = { state: DatasetFilesState.PRESENT, missing: [], repair: '' };

/** The data sets as a client sees them: with what is there of each at the moment. */
export const withFiles = (datasets: readonly DatasetSummary[]): Promise<DatasetInfo[]> =>
  Promise.all(datasets.map(async (dataset) => ({ ...dataset, files: await filesOf(dataset.id) })));

/** @param id of a data set that Glocal knows or the user had brought when the server started. */
export async function filesOf(id: string): Promise<DatasetFiles> {
  const known = knownDataset(id);
  if (known === undefined) return filesOfUser(id);
  const missing = [...known.missing()];
  if (missing.length === 0) return PRESENT;
  const [site] = known.sites;
  if (site === undefined) return { state: DatasetFilesState.MISSING, missing, repair: REINSTALL };
  return {
    state: DatasetFilesState.DOWNLOADABLE,
    missing,
    repair:
      `${fetchData(id)}, on the server's machine, if it reaches ${new URL(site).host}; ` +
      `else put a folder ${id} into its GLOCAL_DATA_DIR that has ${known.expected}`,
  };
}

async function filesOfUser(id: string): Promise<DatasetFiles> {
  const state = DatasetFilesState.MISSING;
  try {
    const missing = [...(await missingUserFiles(id))];
    if (missing.length === 0) return PRESENT;
    return { state, missing, repair: `put ${missing.join(', ')} back into GLOCAL_DATA_DIR/${id}` };
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return { state, missing: [MANIFEST], repair: `mend it: ${error.message}` };
  }
}
