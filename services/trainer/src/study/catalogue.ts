/** What a study may name: data sets, models, inner optimizers, and hyperparameters of these and of the loss. */

import { Grouping } from '@glocal/proto/glocal/v1/study';
import type {
  HyperparameterInfo,
  ModelInfo,
  ModuleInfo,
  OptimizerInfo,
} from '@glocal/proto/glocal/v1/study_service';
import { initBackend } from '../backend/select.ts';
import type { DataError } from '../data/errors.ts';
import { findDatasets } from '../data/registry.ts';
import type { DatasetSummary } from '../data/summary.ts';
import * as inner from '../inner/hyperparameter.ts';
import type { InnerOptimizer } from '../inner/optimizer.ts';
import { listOptimizers } from '../inner/registry.ts';
import { lossHyperparameters } from '../inner/training-loss.ts';
import type { ModelSummary } from '../model/family.ts';
import { weightCount } from '../model/model.ts';
import { listModels } from '../model/registry.ts';
import type { Replays } from './replays.ts';

/** A model and the data that it can be trained on. */
export interface ModelEntry {
  readonly info: ModelInfo;
  /** Why the model cannot be trained on this data set, or undefined when it can. */
  rejects(dataset: DatasetSummary): string | undefined;
  /** Its size on a data set that it can be trained on: layers, and weights (p). */
  size(dataset: DatasetSummary): { readonly layers: number; readonly weights: number };
}

export interface Catalogue {
  readonly datasets: readonly DatasetSummary[];
  /** Training examples of each class, by the data set's id. */
  readonly classSizes: ReadonlyMap<string, readonly number[]>;
  /** Data sets of the user's that cannot be used, by id, with what is wrong. */
  readonly brokenDatasets: ReadonlyMap<string, DataError>;
  readonly models: readonly ModelEntry[];
  readonly optimizers: readonly OptimizerInfo[];
  /** Hyperparameters of the training loss, without the network `reweighting`. */
  readonly lossHyperparameters: readonly HyperparameterInfo[];
  /** Of a study that names a module: that one, with the study's options. */
  readonly module?: ModuleEntry | RefusedModule | undefined;
  /** Of a study that follows schedules of other trials. */
  readonly replays?: Replays;
}

/** A module with certain options. */
export interface ModuleEntry {
  readonly info: ModuleInfo;
  readonly layers: number;
}

/** Why there is no such module, or it cannot be used with these options. */
export interface RefusedModule {
  readonly refused: string;
  /** Field of the problem that is wrong. */
  readonly field: 'module' | 'options';
}

export interface CatalogueOptions {
  /** Folder of the user's models, which are checked here and now. */
  readonly modelDir: string | undefined;
  /** Told of the user's data sets and models that cannot be used. */
  readonly log: (line: string) => void;
}

/**
 * Everything that this trainer has.
 * @throws ModelError when the folder of models cannot be read.
 */
export async function loadCatalogue({ modelDir, log }: CatalogueOptions): Promise<Catalogue> {
  // To read weights. What trains chooses its own.
  if (modelDir !== undefined) await initBackend({ backend: 'cpu', log: () => {} });
  const { datasets, classSizes, broken } = await findDatasets({ log });
  const models = await listModels(modelDir);
  return {
    datasets,
    classSizes,
    brokenDatasets: broken,
    models: models.map(modelEntry),
    optimizers: listOptimizers().map(optimizerInfo),
    lossHyperparameters: lossHyperparameters({}).map(hyperparameterInfo),
  };
}

/** A model as the catalogue has it. */
export function modelEntry(model: ModelSummary): ModelEntry {
  const { id, description, weights } = model;
  return {
    info: { id, description, parameters: weights },
    rejects: (dataset) => model.rejects(dataset),
    size(dataset) {
      const parameters = model.parameters(dataset);
      return { layers: inner.layersOf({ parameters }).length, weights: weightCount({ parameters }) };
    },
  };
}

/** An inner optimizer as the catalogue has it. */
export const optimizerInfo = ({
  id,
  description,
  hyperparameters,
  average,
}: InnerOptimizer): OptimizerInfo => ({
  id,
  description,
  hyperparameters: hyperparameters.map(hyperparameterInfo),
  averages: average !== undefined,
});

const GROUPINGS: Readonly<Record<inner.Grouping, Grouping>> = {
  none: Grouping.NONE,
  layer: Grouping.LAYER,
  class: Grouping.CLASS,
};

/** A hyperparameter as the catalogue has it. */
export function hyperparameterInfo(info: inner.HyperparameterInfo): HyperparameterInfo {
  const { name, description, min, max, defaultValue, size, isSetting: setting = false } = info;
  const groupings = info.groupings.map((grouping) => GROUPINGS[grouping]);
  return { name, description, min, max, defaultValue, groupings, size, setting };
}
