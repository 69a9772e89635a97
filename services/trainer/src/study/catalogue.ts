/** What a study may name: data sets, models, inner optimizers. */

import type { DatasetInfo, ModelInfo, OptimizerInfo } from '@glocal/proto/glocal/v1/study_service';

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
