/** Data set, model, inner optimizer, and how the data is used. */

import type { Augmentation, Problem } from '@glocal/proto/glocal/v1/study';
import type { OptimizerInfo } from '@glocal/proto/glocal/v1/study_service';
import type { DatasetSummary } from '../../data/summary.ts';
import { trainingSizes } from '../../data/training-sizes.ts';
import type { Catalogue, ModelEntry } from '../catalogue.ts';
import type { Checker } from './checker.ts';
import { validationExamples as defaultValidationExamples, PROBLEM } from './defaults.ts';
import { idFault } from './ids.ts';
import { completeModule } from './module.ts';

/** What the problem's names stand for, as far as they are known. */
export interface ResolvedProblem {
  readonly dataset: DatasetSummary | undefined;
  /** Undefined also when it cannot be trained on the data set. */
  readonly model: ModelEntry | undefined;
  readonly optimizer: OptimizerInfo | undefined;
}

export function completeProblem(
  requested: Problem | undefined,
  catalogue: Catalogue,
  check: Checker,
): { problem: Problem; resolved: ResolvedProblem } {
  const { dataset: datasetId = '', model: modelId = '', optimizer: optimizerId = '' } = requested ?? {};
  if (requested !== undefined && requested.module !== '') return completeModule(requested, catalogue, check);
  const isWithoutOptions = requested?.options === undefined;
  check.require(isWithoutOptions, 'problem.options', 'are for a module; name one in problem.module');
  const dataset = catalogue.datasets.find(({ id }) => id === datasetId);
  const model = catalogue.models.find(({ info }) => info.id === modelId);
  const optimizer = catalogue.optimizers.find(({ id }) => id === optimizerId);
  const ids = { dataset: datasetId, model: modelId, optimizer: optimizerId } as const;
  for (const kind of ['dataset', 'model', 'optimizer'] as const) {
    const fault = idFault[kind](ids[kind], catalogue);
    check.require(fault === undefined, `problem.${kind}`, fault ?? '');
  }
  const why = dataset && model?.rejects(dataset);
  check.require(why === undefined, 'problem.model', `${modelId} cannot be trained on ${datasetId}: ${why}`);
  return {
    problem: {
      ...{ ...ids, module: '', options: undefined },
      ...completeSizes(requested, dataset, catalogue.classSizes.get(datasetId), check),
      standardize: requested?.standardize,
      labelNoise: completeLabelNoise(requested?.labelNoise, check),
      augmentation: completeAugmentation(requested?.augmentation, dataset, check),
    },
    resolved: { dataset, model: why === undefined ? model : undefined, optimizer },
  };
}

/** How many examples there are of what; the training part must hold a batch after all that is taken from it. */
function completeSizes(
  requested: Problem | undefined,
  dataset: DatasetSummary | undefined,
  classSizes: readonly number[] | undefined,
  check: Checker,
): Pick<Problem, 'batchSize' | 'validationExamples' | 'imbalanceFactor'> {
  const batchSize = requested?.batchSize || PROBLEM.batchSize;
  const examples = dataset?.trainExamples ?? Number.MAX_SAFE_INTEGER;
  const validationExamples = requested?.validationExamples || defaultValidationExamples(examples);
  const imbalanceFactor = completeImbalance(requested?.imbalanceFactor, check);
  const sizes = { batchSize, validationExamples, imbalanceFactor };
  const arePositive = [
    check.require(batchSize >= 1, 'problem.batch_size', `${batchSize} is not positive`),
    check.require(
      validationExamples >= 1,
      'problem.validation_examples',
      `${validationExamples} is not positive`,
    ),
  ];
  if (arePositive.includes(false) || dataset === undefined) return sizes;
  const isAnyLeft = check.require(
    validationExamples < examples,
    'problem.validation_examples',
    `${validationExamples} of the ${examples} training examples leaves nothing to train on`,
  );
  if (!isAnyLeft || !isImbalance(imbalanceFactor)) return sizes;
  const even = { count: examples - validationExamples, emptied: undefined, largest: examples };
  const { count, emptied, largest } =
    classSizes === undefined ? even : trainingSizes(classSizes, { validationExamples, imbalanceFactor });
  if (
    check.require(
      emptied === undefined,
      'problem.imbalance_factor',
      `${imbalanceFactor} leaves class ${emptied} no example of the ${largest} that the largest class has`,
    )
  ) {
    const imbalance = imbalanceFactor === 1 ? '' : ` with an imbalance factor of ${imbalanceFactor}`;
    check.require(
      batchSize <= count,
      'problem.batch_size',
      `${batchSize} is more than the ${count} examples that are left for training${imbalance}`,
    );
  }
  return sizes;
}

const isImbalance = (factor: number): boolean => factor >= 1 && Number.isFinite(factor);

function completeImbalance(requested: number | undefined, check: Checker): number {
  const factor = requested === undefined || requested === 0 ? PROBLEM.imbalanceFactor : requested;
  check.require(
    isImbalance(factor),
    'problem.imbalance_factor',
    `${factor} is not a number of 1 or more; 1 takes no examples away`,
  );
  return factor;
}

function completeLabelNoise(share = 0, check: Checker): number {
  check.require(share >= 0 && share <= 1, 'problem.label_noise', `${share} is not a share from 0 to 1`);
  return share;
}

function completeAugmentation(
  requested: Augmentation | undefined,
  dataset: DatasetSummary | undefined,
  check: Checker,
): Augmentation {
  const { cropPadding = 0, horizontalFlip = false } = requested ?? {};
  const { id, inputShape } = dataset ?? {};
  if (inputShape !== undefined && inputShape.length !== 3) {
    check.require(
      cropPadding === 0 && !horizontalFlip,
      'problem.augmentation',
      `is for images, and examples of ${id} have shape ${inputShape.join('×')}`,
    );
    return { cropPadding, horizontalFlip };
  }
  const [height = Number.POSITIVE_INFINITY, width = Number.POSITIVE_INFINITY] = inputShape ?? [];
  check.require(
    cropPadding >= 0 && cropPadding <= Math.min(height, width),
    'problem.augmentation.crop_padding',
    `${cropPadding} is not a number of pixels from 0 to the size of the image`,
  );
  return { cropPadding, horizontalFlip };
}
