/** The data sets that a study may name. */

import { listed, quoteCell } from '../resource/quote.ts';
import { expectedCifarFiles, loadCifar, missingCifarFiles } from './cifar-originals.ts';
import { DataError } from './errors.ts';
import type { LabelledExamples } from './examples.ts';
import { expectedIdxFiles, loadIdx, missingIdxFiles } from './originals.ts';
import type { LoadOptions } from './sites.ts';
import { cifar10, cifar100, fashionMnist, fashionMnist10k, mnist } from './sources.ts';
import type { DatasetSummary } from './summary.ts';
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
  readonly info: DatasetSummary;
  /** Training examples of each class; without it, all classes have as many. */
  readonly classSizes?: readonly number[] | undefined;
  load(options: LoadOptions): Promise<Dataset>;
  /** Folders on the set's own sites; none where it comes with the product. */
  readonly sites: readonly string[];
  /** Names of files that are not on this machine. */
  missing(): readonly string[];
  /** What a user without a network would put into `GLOCAL_DATA_DIR/<id>`. */
  readonly expected: string;
}

const KNOWN: readonly KnownDataset[] = [
  ...[fashionMnist10k, fashionMnist, mnist].map((source) => ({
    info: source.info,
    classSizes: source.classSizes,
    load: (options: LoadOptions) => loadIdx(source, options),
    sites: source.sites,
    missing: () => missingIdxFiles(source),
    expected: expectedIdxFiles(source),
  })),
  ...[cifar10, cifar100].map((source) => ({
    info: source.info,
    load: (options: LoadOptions) => loadCifar(source, options),
    sites: source.sites,
    missing: () => missingCifarFiles(source),
    expected: expectedCifarFiles(source),
  })),
];

/** The data sets that Glocal knows. */
export const listDatasets = (): readonly DatasetSummary[] => KNOWN.map(({ info }) => info);

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

/** A data set that Glocal knows, by its id. */
export const knownDataset = (id: string): KnownDataset | undefined =>
  KNOWN.find(({ info }) => info.id === id);

/**
 * Loads a data set. Only `fashion-mnist-10k` comes with the product; the others are taken from `GLOCAL_DATA_DIR`, from
 * the cache or from the set's own site; the user's from `GLOCAL_DATA_DIR` only.
 * @throws DataError UNKNOWN_DATASET naming those that exist, others naming the file; or the signal's reason.
 */
export async function loadDataset(id: string, options: LoadOptions): Promise<Dataset> {
  const known = knownDataset(id);
  if (known !== undefined) return known.load(options);
  if (isUserDataset(id)) return loadUserDataset(id);
  const misnomer = misnamed(id);
  if (misnomer !== undefined) throw misnomer;
  const ids = [...KNOWN.map(({ info }) => info.id), ...(await userDatasetIds())];
  throw new DataError('UNKNOWN_DATASET', `there is no data set ${quoteCell(id)}; one of ${listed(ids)}`);
}
