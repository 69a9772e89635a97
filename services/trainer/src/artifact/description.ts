/** What there is to know of an artifact without its files: made when it is uploaded, and what the catalogue has of it. */

import { ArtifactKind } from '@glocal/proto/glocal/v1/study_service';
import type { DatasetSummary } from '../data/summary.ts';
import { type DatasetDescription, describeDataset, loadDatasetFolder } from '../data/user-datasets.ts';
import type { ModelSummary } from '../model/family.ts';
import { loadLayersModel, rejectsTask, type Taken } from '../model/layers-model/layers-model.ts';
import type { ModelParameter } from '../model/model.ts';

export type ArtifactDescription =
  | ({ readonly kind: 'dataset' } & DatasetDescription)
  | ({ readonly kind: 'model' } & ModelDescription);

export interface ModelDescription {
  readonly description: string;
  readonly weights: number;
  readonly takes: Taken;
  readonly parameters: readonly ModelParameter[];
}

/**
 * Loads what is in a folder, on the tfjs backend in use, to say what it is.
 * @throws DataError, ModelError naming the file and what is wrong in it.
 */
export async function describeArtifact(kind: ArtifactKind, folder: string): Promise<ArtifactDescription> {
  if (kind === ArtifactKind.DATASET)
    return { kind: 'dataset', ...describeDataset(await loadDatasetFolder(folder)) };
  using model = await loadLayersModel(folder);
  const { description, weights, takes } = model;
  return { kind: 'model', description, weights, takes, parameters: model.parameters() };
}

/** A data set in the catalogue. @param id its name, `artifacts/{artifact}`. */
export const datasetInfo = (id: string, { info }: DatasetDescription): DatasetSummary => ({ id, ...info });

/** A model in the catalogue. @param id its name, `artifacts/{artifact}`. */
export const modelSummary = (
  id: string,
  { description, weights, takes, parameters }: ModelDescription,
): ModelSummary => ({
  ...{ id, description, weights },
  rejects: (task) => rejectsTask(takes, task),
  parameters: () => parameters,
});
