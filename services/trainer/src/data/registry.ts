/** The data sets that a study may name. */

import type { DatasetInfo } from '@glocal/proto/glocal/v1/study_service';
import { DataError } from './errors.ts';
import type { LabelledExamples } from './examples.ts';
import { pairExamples } from './idx.ts';
import { type LoadOptions, readOriginal } from './originals.ts';
import { fashionMnist, fashionMnist10k, type IdxSource, mnist, type PartFiles } from './sources.ts';

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

const SOURCES: readonly IdxSource[] = [fashionMnist10k, fashionMnist, mnist];

export const listDatasets = (): readonly DatasetInfo[] => SOURCES.map(({ info }) => info);

/**
 * Loads a data set. Only `fashion-mnist-10k` comes with the product; the others are taken from `GLOCAL_DATA_DIR`, from
 * the cache or from the set's own site.
 * @throws DataError UNKNOWN_DATASET naming those that exist, others naming the file; or the signal's reason.
 */
export async function loadDataset(id: string, options: LoadOptions): Promise<Dataset> {
  const source = SOURCES.find(({ info }) => info.id === id);
  if (source === undefined) {
    const known = SOURCES.map(({ info }) => info.id).join(', ');
    throw new DataError('UNKNOWN_DATASET', `there is no data set "${id}"; one of ${known}`);
  }
  return loadIdx(source, options);
}

/** Loads an idx data set. */
export async function loadIdx(source: IdxSource, options: LoadOptions): Promise<Dataset> {
  return {
    train: await loadPart(source, source.train, options),
    test: await loadPart(source, source.test, options),
  };
}

async function loadPart(
  source: IdxSource,
  { images, labels }: PartFiles,
  options: LoadOptions,
): Promise<LabelledExamples> {
  const { inputShape, classes } = source.info;
  return pairExamples(
    await readOriginal(source, images, options),
    await readOriginal(source, labels, options),
    { shape: inputShape, classes },
  );
}
