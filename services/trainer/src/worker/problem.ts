/** Loads what a study's problem names: from where it came with the product, or where the user has put or uploaded it. */

import { ArtifactRoot } from '../artifact/folder.ts';
import { type BackendInfo, initBackend } from '../backend/select.ts';
import { datasetSha256 } from '../data/digest.ts';
import { type Dataset, loadDataset } from '../data/registry.ts';
import { loadDatasetFolder } from '../data/user-datasets.ts';
import type { Model, Task } from '../model/model.ts';
import { buildLoaded, getModel } from '../model/registry.ts';
import { buildProblem } from '../problem/built.ts';
import { located, ProblemError } from '../problem/errors.ts';
import { realFolder } from '../problem/folder.ts';
import { loadModule } from '../problem/load.ts';
import type { CompleteStudy } from '../resource/complete-study.ts';
import { isArtifactName } from '../resource/names.ts';
import { type Assembly, assemble, assembleModule } from './assemble.ts';
import type { StartMessage } from './messages.ts';

/** What a trial trains, with what is noted of it. */
export interface LoadedTrial extends Assembly {
  readonly backend: BackendInfo;
  /** Of the data set's content, or of the module's files. */
  readonly sha256: string;
}

/** Where things of the user's are. */
type Folders = Pick<StartMessage, 'artifactDir' | 'modelDir' | 'problemDir' | 'backend'>;

/**
 * Starts the tfjs backend, and loads what the study's problem names.
 * @param seed of the trial.
 * @throws DataError, ModelError, ProblemError, BackendError, and whatever a module throws.
 */
export async function loadTrial(
  study: CompleteStudy,
  seed: number,
  start: Folders,
  log: (line: string) => void,
): Promise<LoadedTrial> {
  const { problem } = study;
  const { backend: requested } = start;
  if (problem.module !== '') {
    const backend = await initBackend({ backend: requested, log });
    const { definition, sha256 } = await loadModule(problemDirOf(start), problem.module);
    const built = await buildProblem(definition, problem.options ?? {}, seed);
    return { ...assembleModule(study, seed, built), backend, sha256 };
  }
  const dataset = await datasetOf(problem.dataset, start, log);
  const backend = await initBackend({ backend: requested, log });
  const { shape: inputShape, classes } = dataset.train;
  const model = await modelOf(problem.model, { inputShape, classes }, start);
  return { ...assemble(study, seed, dataset, model), backend, sha256: datasetSha256(dataset) };
}

/** Why a trial failed: with file and line where a module of the user's had a part in it. */
export async function reasonOf(error: unknown, { problemDir }: Folders): Promise<string> {
  const root = problemDir && (await realFolder(problemDir).catch(() => undefined));
  if (root) return located(error, root);
  return error instanceof Error ? error.message : String(error);
}

function problemDirOf({ problemDir }: Folders): string {
  if (problemDir === undefined) throw new ProblemError('this server has no --problem-dir any more');
  return problemDir;
}

function datasetOf(dataset: string, { artifactDir }: Folders, log: (line: string) => void): Promise<Dataset> {
  if (isArtifactName(dataset)) return loadDatasetFolder(new ArtifactRoot(artifactDir).folderOf(dataset));
  return loadDataset(dataset, { log });
}

function modelOf(model: string, task: Task, { artifactDir, modelDir }: Folders): Promise<Model> {
  if (isArtifactName(model)) return buildLoaded(new ArtifactRoot(artifactDir).folderOf(model), task);
  return getModel(model, task, modelDir);
}
