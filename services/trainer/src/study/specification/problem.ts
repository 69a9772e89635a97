/** Data set, model, inner optimizer, and how the data is used. */

import type { Augmentation, Problem } from '@glocal/proto/glocal/v1/study';
import type { DatasetInfo, OptimizerInfo } from '@glocal/proto/glocal/v1/study_service';
import type { Catalogue } from '../catalogue.ts';
import type { Checker } from './checker.ts';

/** What the problem's names stand for, as far as they are known. */
export interface ResolvedProblem {
  readonly dataset: DatasetInfo | undefined;
  readonly optimizer: OptimizerInfo | undefined;
}

export function completeProblem(
  requested: Problem | undefined,
  catalogue: Catalogue,
  check: Checker,
): { problem: Problem; resolved: ResolvedProblem } {
  const { dataset: datasetId = '', model: modelId = '', optimizer: optimizerId = '' } = requested ?? {};
  const dataset = catalogue.datasets.find(({ id }) => id === datasetId);
  const model = catalogue.models.find(({ info }) => info.id === modelId);
  const optimizer = catalogue.optimizers.find(({ id }) => id === optimizerId);
  const known = (ids: string[]) => `one of ${ids.join(', ')}`;
  check.require(
    dataset !== undefined,
    'problem.dataset',
    catalogue.brokenDatasets.get(datasetId)?.message ??
      `unknown data set "${datasetId}"; ${known(catalogue.datasets.map(({ id }) => id))}`,
  );
  check.require(
    model !== undefined,
    'problem.model',
    `unknown model "${modelId}"; ${known(catalogue.models.map(({ info }) => info.id))}`,
  );
  check.require(
    optimizer !== undefined,
    'problem.optimizer',
    `unknown optimizer "${optimizerId}"; ${known(catalogue.optimizers.map(({ id }) => id))}`,
  );
  if (dataset !== undefined && model !== undefined) {
    const why = model.rejects(dataset);
    check.require(why === undefined, 'problem.model', `${modelId} cannot be trained on ${datasetId}: ${why}`);
  }

  const batchSize = requested?.batchSize || 128;
  const trainExamples = dataset?.trainExamples ?? Number.MAX_SAFE_INTEGER;
  const validationExamples = requested?.validationExamples || Math.round(trainExamples / 10);
  const sizesPositive =
    check.require(batchSize >= 1, 'problem.batch_size', `${batchSize} is not positive`) &&
    check.require(
      validationExamples >= 1,
      'problem.validation_examples',
      `${validationExamples} is not positive`,
    );
  if (sizesPositive && dataset !== undefined) {
    const left = trainExamples - validationExamples;
    check.require(
      left > 0,
      'problem.validation_examples',
      `${validationExamples} of the ${trainExamples} training examples leaves nothing to train on`,
    );
    if (left > 0) {
      check.require(
        batchSize <= left,
        'problem.batch_size',
        `${batchSize} is more than the ${left} examples that are left for training`,
      );
    }
  }
  return {
    problem: {
      dataset: datasetId,
      model: modelId,
      optimizer: optimizerId,
      batchSize,
      validationExamples,
      standardize: requested?.standardize,
      imbalanceFactor: completeImbalance(requested?.imbalanceFactor, check),
      augmentation: completeAugmentation(requested?.augmentation, dataset, check),
    },
    resolved: { dataset, optimizer },
  };
}

function completeImbalance(requested: number | undefined, check: Checker): number {
  const factor = requested || 1;
  check.require(
    factor >= 1 && Number.isFinite(factor),
    'problem.imbalance_factor',
    `${factor} is not a number of 1 or more; 1 takes no examples away`,
  );
  return factor;
}

function completeAugmentation(
  requested: Augmentation | undefined,
  dataset: DatasetInfo | undefined,
  check: Checker,
): Augmentation {
  const { cropPadding = 0, horizontalFlip = false } = requested ?? {};
  const [height = 0, width = 0, channels] = dataset?.inputShape ?? [];
  if (dataset !== undefined && channels === undefined) {
    check.require(
      cropPadding === 0 && !horizontalFlip,
      'problem.augmentation',
      `is for images, and examples of ${dataset.id} have shape ${dataset.inputShape.join('×')}`,
    );
  } else {
    const most = dataset === undefined ? Number.POSITIVE_INFINITY : Math.min(height, width);
    check.require(
      cropPadding >= 0 && cropPadding <= most,
      'problem.augmentation.crop_padding',
      `${cropPadding} is not a number of pixels from 0 to the size of the image`,
    );
  }
  return { cropPadding, horizontalFlip };
}
