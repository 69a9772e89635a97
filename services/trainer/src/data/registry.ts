/** The data sets that a study may name. */

import type { DatasetInfo } from '@glocal/proto/glocal/v1/study_service';
import { listed, quoteCell } from '../resource/quote.ts';
import { loadCifar } from './cifar-originals.ts';
import { DataError } from './errors.ts';
import type { LabelledExamples } from './examples.ts';
import { loadIdx } from './originals.ts';
import type { LoadOptions } from './sites.ts';
import { cifar10, cifar100, fashionMnist, fashionMnist10k, mnist } from './sources.ts';
import {
  findUserDatasets,
  isUserDataset,
  loadUserDataset,
  misnamed,
  type UserDatasets,
  userDatasetIds,
} from './user-datasets.ts';

/** A loaded data set. */
export interface Dataset {
  /** To train on; validation examples are taken from it. */
  readonly train: LabelledExamples;
  readonly test: LabelledExamples;
  /**
   * Whether values are standardised where a study does not say.
   * @default false
   */
  readonly standardize?: boolean;
}

/** A data set that Glocal knows. */
interface KnownDataset {
  readonly info: DatasetInfo;
  /** Training examples of each class; without it, all classes have as many. */
  readonly classSizes?: readonly number[] | undefined;
  load(options: LoadOptions): Promise<Dataset>;
}

const KNOWN: readonly KnownDataset[] = [
  ...[fashionMnist10k, fashionMnist, mnist].map((source) => ({
    info: source.info,
    classSizes: source.classSizes,
    load: (options: LoadOptions) => loadIdx(source, options),
  })),
  ...[cifar10, cifar100].map((source) => ({
    info: source.info,
    load: (options: LoadOptions) => loadCifar(source, options),
  })),
];

/** The data sets that Glocal knows. */
export const listDatasets = (): readonly DatasetInfo[] => KNOWN.map(({ info }) => info);

/**
 * The data sets that a study may name: those that Glocal knows, and the user's, which are read as a whole, so that what is
 * wrong in them is told here and not when a trial starts.
 * @param options.log takes a line for each of the user's data sets that cannot be used.
 */
export async function findDatasets({ log }: Pick<LoadOptions, 'log'>): Promise<UserDatasets> {
  const known = listDatasets();
  const user = await findUserDatasets(new Set(known.map(({ id }) => id)), log);
  const classSizes = new Map(KNOWN.map((dataset) => [dataset.info.id, classSizesOf(dataset)]));
  return {
    datasets: [...known, ...user.datasets],
    classSizes: new Map([...classSizes, ...user.classSizes]),
    broken: user.broken,
  };
}

function classSizesOf({ info: { classes, trainExamples }, classSizes }: KnownDataset): readonly number[] {
  return classSizes ?? Array.from({ length: classes }, () => trainExamples / classes);
}

/**
 * Loads a data set. Only `fashion-mnist-10k` comes with the product; the others are taken from `GLOCAL_DATA_DIR`, from
 * the cache or from the set's own site; the user's from `GLOCAL_DATA_DIR` only.
 * @throws DataError UNKNOWN_DATASET naming those that exist, others naming the file; or the signal's reason.
 */
export async function loadDataset(id: string, options: LoadOptions): Promise<Dataset> {
  const known = KNOWN.find(({ info }) => info.id === id);
  if (known !== undefined) return known.load(options);
  if (isUserDataset(id)) return loadUserDataset(id);
  const misnomer = misnamed(id);
  if (misnomer !== undefined) throw misnomer;
  const ids = [...KNOWN.map(({ info }) => info.id), ...(await userDatasetIds())];
  throw new DataError('UNKNOWN_DATASET', `there is no data set ${quoteCell(id)}; one of ${listed(ids)}`);
}
