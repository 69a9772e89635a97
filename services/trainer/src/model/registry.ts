/** The models that a study may name: those of this folder, and those of a folder of the user's. */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ModelError } from './errors.ts';
import type { ModelFamily, ModelSummary } from './family.ts';
import { loadLayersModel } from './layers-model/layers-model.ts';
import { lenet } from './lenet.ts';
import { logistic } from './logistic.ts';
import { mlp } from './mlp.ts';
import type { Model, Task } from './model.ts';
import { wideResnet16x2, wideResnet28x2 } from './wide-resnet.ts';

export const BUILT_IN: readonly ModelFamily[] = [logistic, mlp, lenet, wideResnet16x2, wideResnet28x2];

/**
 * All models. One of the user's that cannot be used is listed with what is wrong, and rejects all data.
 * @param folder with a folder `<id>/model.json` for each model of the user's, which is loaded on the tfjs backend in use.
 * @throws ModelError UNREADABLE when the folder itself cannot be read; FORMAT when it has the id of a built-in model.
 */
export async function listModels(folder?: string): Promise<readonly ModelSummary[]> {
  if (folder === undefined) return BUILT_IN;
  const own: ModelSummary[] = [];
  for (const id of await idsIn(folder)) own.push(await summary(join(folder, id), id));
  return [...BUILT_IN, ...own];
}

/**
 * The model with this id, for a data set, on the tfjs backend in use.
 * @param folder as for {@link listModels}.
 * @throws ModelError UNKNOWN_MODEL naming the models that exist; UNSUITABLE; and, for one of the user's, all others.
 */
export async function getModel(id: string, task: Task, folder?: string): Promise<Model> {
  const family = BUILT_IN.find((candidate) => candidate.id === id);
  if (family !== undefined) return family.build(task);
  const own = folder === undefined ? [] : await idsIn(folder);
  if (folder === undefined || !own.includes(id)) {
    const known = [...BUILT_IN.map((candidate) => candidate.id), ...own].join(', ');
    throw new ModelError('UNKNOWN_MODEL', `there is no model "${id}"; one of ${known}`);
  }
  return buildLoaded(join(folder, id), task);
}

/**
 * The model of one folder, for a data set, on the tfjs backend in use.
 * @throws ModelError
 */
export async function buildLoaded(folder: string, task: Task): Promise<Model> {
  const loaded = await loadLayersModel(folder);
  try {
    return loaded.build(task);
  } catch (error) {
    loaded[Symbol.dispose]();
    throw error;
  }
}

/** Names of the folders in a folder, but for hidden ones. */
async function idsIn(folder: string): Promise<string[]> {
  let ids: string[];
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    ids = entries.filter((entry) => !entry.isFile() && !entry.name.startsWith('.')).map(({ name }) => name);
  } catch (cause) {
    throw new ModelError(
      'UNREADABLE',
      `the folder of models cannot be read: ${(cause as Error).message}; set --model-dir (GLOCAL_MODEL_DIR) to one that can`,
      { cause },
    );
  }
  const taken = ids.find((id) => BUILT_IN.some((family) => family.id === id));
  if (taken !== undefined) {
    throw new ModelError('FORMAT', `${join(folder, taken)} has the name of a built-in model; rename it`);
  }
  return ids.sort();
}

async function summary(folder: string, id: string): Promise<ModelSummary> {
  try {
    using model = await loadLayersModel(folder);
    const { description, weights } = model;
    const parameters = model.parameters();
    return { id, description, weights, rejects: (task) => model.rejects(task), parameters: () => parameters };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    const { message } = error;
    return {
      id,
      description: `Cannot be used: ${message}`,
      weights: 0,
      rejects: () => message,
      parameters: () => [],
    };
  }
}
