/** Loads what a study's problem names: from where it came with the product, or where the user has put or uploaded it. */

import type { Problem } from '@glocal/proto/glocal/v1/study';
import { ArtifactRoot } from '../artifact/folder.ts';
import { type Dataset, loadDataset } from '../data/registry.ts';
import { loadDatasetFolder } from '../data/user-datasets.ts';
import type { Model, Task } from '../model/model.ts';
import { buildLoaded, getModel } from '../model/registry.ts';
import { isArtifactName } from '../resource/names.ts';
import type { StartMessage } from './messages.ts';

/** @throws DataError */
export function datasetOf(
  { dataset }: Pick<Problem, 'dataset'>,
  { artifactDir }: Pick<StartMessage, 'artifactDir'>,
  log: (line: string) => void,
): Promise<Dataset> {
  if (isArtifactName(dataset)) return loadDatasetFolder(new ArtifactRoot(artifactDir).folderOf(dataset));
  return loadDataset(dataset, { log });
}

/**
 * On the tfjs backend in use.
 * @throws ModelError
 */
export function modelOf(
  { model }: Pick<Problem, 'model'>,
  task: Task,
  { artifactDir, modelDir }: Pick<StartMessage, 'artifactDir' | 'modelDir'>,
): Promise<Model> {
  if (isArtifactName(model)) return buildLoaded(new ArtifactRoot(artifactDir).folderOf(model), task);
  return getModel(model, task, modelDir);
}
