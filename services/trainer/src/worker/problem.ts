/** Loads what a study's problem names: from where it came with the product, or where the user has put or uploaded it. */

import type { Trial } from '@glocal/proto/glocal/v1/study';
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
import { type LoadedModule, loadModule } from '../problem/load.ts';
import type { CompleteStudy } from '../resource/complete-study.ts';
import { isArtifactName } from '../resource/names.ts';
import { type Assembly, assemble, assembleModule } from './assemble.ts';
import type { StartMessage } from './messages.ts';
import { ModuleNotLoadedError, OtherDatasetError } from './unfit.ts';

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
 * @throws ModuleNotLoadedError, OtherDatasetError when it is not what the trial was trained with before; DataError, ModelError,
 *   ProblemError, BackendError, and whatever a module throws.
 */
export async function loadTrial(
  study: CompleteStudy,
  trial: Pick<Trial, 'seed' | 'datasetSha256'>,
  start: Folders,
  log: (line: string) => void,
): Promise<LoadedTrial> {
  const { problem } = study;
  const { backend: requested } = start;
  if (problem.module !== '') {
    const backend = await initBackend({ backend: requested, log });
    const { definition, sha256 } = await moduleOf(problem.module, start);
    expectSame(trial, sha256, `the module ${problem.module}`);
    const built = await buildProblem(definition, problem.options ?? {}, trial.seed);
    return { ...assembleModule(study, trial.seed, built), backend, sha256 };
  }
  const dataset = await datasetOf(problem.dataset, start, log);
  const sha256 = datasetSha256(dataset);
  expectSame(trial, sha256, `the data set ${problem.dataset}`);
  const backend = await initBackend({ backend: requested, log });
  const { shape: inputShape, classes } = dataset.train;
  const model = await modelOf(problem.model, { inputShape, classes }, start);
  return { ...assemble(study, trial.seed, dataset, model), backend, sha256 };
}

/** Why a trial failed: with file and line where a module of the user's had a part in it. */
export async function reasonOf(thrown: unknown, { problemDir }: Folders): Promise<string> {
  const error = thrown instanceof ModuleNotLoadedError ? thrown.cause : thrown;
  const root = problemDir && (await realFolder(problemDir).catch(() => undefined));
  if (root) return located(error, root);
  return error instanceof Error ? error.message : String(error);
}

/** @throws ModuleNotLoadedError */
async function moduleOf(module: string, { problemDir }: Folders): Promise<LoadedModule> {
  try {
    if (problemDir === undefined) throw new ProblemError('there is no --problem-dir any more');
    return await loadModule(problemDir, module);
  } catch (cause) {
    throw new ModuleNotLoadedError(`the module ${module} could not be loaded`, { cause });
  }
}

/** @throws OtherDatasetError */
function expectSame(
  { datasetSha256: before }: Pick<Trial, 'datasetSha256'>,
  now: string,
  what: string,
): void {
  if (before === '' || before === now) return;
  throw new OtherDatasetError(`${what} has changed since the training of this trial began`);
}

function datasetOf(dataset: string, { artifactDir }: Folders, log: (line: string) => void): Promise<Dataset> {
  if (isArtifactName(dataset)) return loadDatasetFolder(new ArtifactRoot(artifactDir).folderOf(dataset));
  return loadDataset(dataset, { log });
}

function modelOf(model: string, task: Task, { artifactDir, modelDir }: Folders): Promise<Model> {
  if (isArtifactName(model)) return buildLoaded(new ArtifactRoot(artifactDir).folderOf(model), task);
  return getModel(model, task, modelDir);
}
