/** What a study may name: data sets, models, inner optimizers. */

import { Grouping } from '@glocal/proto/glocal/v1/study';
import type {
  DatasetInfo,
  HyperparameterInfo,
  ModelInfo,
  OptimizerInfo,
} from '@glocal/proto/glocal/v1/study_service';
import { listDatasets } from '../data/registry.ts';
import type * as inner from '../inner/hyperparameter.ts';
import { listOptimizers } from '../inner/registry.ts';
import { lossHyperparameters } from '../inner/training-loss.ts';
import { type Model, weightCount } from '../model/model.ts';
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
  /** Hyperparameters of the training loss, without the network `reweighting`. */
  readonly lossHyperparameters: readonly HyperparameterInfo[];
}

const GROUPINGS: Readonly<Record<inner.Grouping, Grouping>> = {
  none: Grouping.NONE,
  layer: Grouping.LAYER,
  class: Grouping.CLASS,
};

/** Everything that this trainer has. */
export const catalogue: Catalogue = {
  datasets: listDatasets(),
  models: listModels().map(modelEntry),
  optimizers: listOptimizers().map(({ id, description, hyperparameters }) => ({
    id,
    description,
    hyperparameters: hyperparameters.map(hyperparameterInfo),
  })),
  lossHyperparameters: lossHyperparameters({}).map(hyperparameterInfo),
};

function hyperparameterInfo(info: inner.HyperparameterInfo): HyperparameterInfo {
  const { name, description, min, max, defaultValue } = info;
  return {
    name,
    description,
    min,
    max,
    defaultValue,
    groupings: info.groupings.map((grouping) => GROUPINGS[grouping]),
  };
}

function modelEntry(model: Model): ModelEntry {
  return {
    info: { id: model.id, description: model.description, parameters: weightCount(model) },
    rejects({ inputShape, classes }) {
      if (!model.accepts(inputShape)) {
        return `it takes examples of shape ${shapeText(model.inputShape)}, and these are ${shapeText(inputShape)}`;
      }
      return model.classes === classes
        ? undefined
        : `it tells ${model.classes} classes apart, not ${classes}`;
    },
  };
}

const shapeText = (shape: readonly number[]): string => shape.join('×');
