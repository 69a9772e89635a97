/** What a study may name: data sets, models, inner optimizers. */

import type { DatasetInfo, ModelInfo, OptimizerInfo } from '@glocal/proto/glocal/v1/study_service';
import { listDatasets } from '../data/registry.ts';
import { listOptimizers } from '../inner/registry.ts';
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
