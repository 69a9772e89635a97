/** The data sets that a study may name. */

import type { DatasetInfo } from '@glocal/proto/glocal/v1/study_service';
import { loadCifar } from './cifar-originals.ts';
import { DataError } from './errors.ts';
import type { LabelledExamples } from './examples.ts';
import { loadIdx } from './originals.ts';
import type { LoadOptions } from './sites.ts';
import { cifar10, cifar100, fashionMnist, fashionMnist10k, mnist } from './sources.ts';

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
  load(options: LoadOptions): Promise<Dataset>;
}

const KNOWN: readonly KnownDataset[] = [
  ...[fashionMnist10k, fashionMnist, mnist].map((source) => ({
    info: source.info,
    load: (options: LoadOptions) => loadIdx(source, options),
  })),
  ...[cifar10, cifar100].map((source) => ({
    info: source.info,
    load: (options: LoadOptions) => loadCifar(source, options),
  })),
];

export const listDatasets = (): readonly DatasetInfo[] => KNOWN.map(({ info }) => info);

/**
 * Loads a data set. Only `fashion-mnist-10k` comes with the product; the others are taken from `GLOCAL_DATA_DIR`, from
 * the cache or from the set's own site.
 * @throws DataError UNKNOWN_DATASET naming those that exist, others naming the file; or the signal's reason.
 */
export async function loadDataset(id: string, options: LoadOptions): Promise<Dataset> {
  const known = KNOWN.find(({ info }) => info.id === id);
  if (known === undefined) {
    const ids = KNOWN.map(({ info }) => info.id).join(', ');
    throw new DataError('UNKNOWN_DATASET', `there is no data set "${id}"; one of ${ids}`);
  }
  return known.load(options);
}
