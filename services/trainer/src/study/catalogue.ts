/** What a study may name: data sets, models, inner optimizers. */

import type { DatasetInfo, ModelInfo, OptimizerInfo } from '@glocal/proto/glocal/v1/study_service';
import { initBackend } from '../backend/select.ts';
import { listDatasets } from '../data/registry.ts';
import { listOptimizers } from '../inner/registry.ts';
import type { ModelSummary } from '../model/family.ts';
import { listModels } from '../model/registry.ts';

/** A model and the data that it can be trained on. */
export interface ModelEntry {
  readonly info: ModelInfo;
  /** Why the model cannot be trained on this data set, or undefined when it can. */
  rejects(dataset: DatasetInfo): string | undefined;
}

export interface Catalogue {
  readonly datasets: readonly DatasetInfo[];
  readonly models: readonly ModelEntry[];
  readonly optimizers: readonly OptimizerInfo[];
}

/**
 * Everything that this trainer has.
 * @param modelDir folder of the user's models, which are checked here and now.
 * @throws ModelError when the folder cannot be read.
 */
export async function loadCatalogue(modelDir: string | undefined): Promise<Catalogue> {
  // To read weights. What trains chooses its own.
  if (modelDir !== undefined) await initBackend({ backend: 'cpu', log: () => {} });
  const models = await listModels(modelDir);
  return { datasets: listDatasets(), models: models.map(modelEntry), optimizers: OPTIMIZERS };
}

const OPTIMIZERS: readonly OptimizerInfo[] = listOptimizers().map(({ id, description, hyperparameters }) => ({
  id,
  description,
  hyperparameters: hyperparameters.map((info) => ({ ...info, defaultValue: info.defaultValue })),
}));

function modelEntry(model: ModelSummary): ModelEntry {
  const { id, description, weights } = model;
  return { info: { id, description, parameters: weights }, rejects: (dataset) => model.rejects(dataset) };
}
