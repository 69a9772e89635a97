/** What a study may name: data sets, models, inner optimizers. */

import type { DatasetInfo, ModelInfo, OptimizerInfo } from '@glocal/proto/glocal/v1/study_service';
import { listDatasets } from '../data/registry.ts';
import { listOptimizers } from '../inner/registry.ts';
import type { ModelFamily } from '../model/family.ts';
import { weightCount } from '../model/model.ts';
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

/** Everything that this trainer has. */
export const catalogue: Catalogue = {
  datasets: listDatasets(),
  models: listModels().map(modelEntry),
  optimizers: listOptimizers().map(({ id, description, hyperparameters }) => ({
    id,
    description,
    hyperparameters: hyperparameters.map((info) => ({ ...info, defaultValue: info.defaultValue })),
  })),
};

function modelEntry(family: ModelFamily): ModelEntry {
  const { id, description, typical } = family;
  return {
    info: { id, description, parameters: weightCount(family.build(typical)) },
    rejects: (dataset) => family.rejects(dataset),
  };
}
