/** A module of the user's, which stands for data set, model and loss. */

import type { Problem, Study } from '@glocal/proto/glocal/v1/study';
import type { DatasetSummary } from '../../data/summary.ts';
import { REWEIGHTING } from '../../inner/reweighting-size.ts';
import type { Catalogue, ModelEntry, ModuleEntry } from '../catalogue.ts';
import type { Checker } from './checker.ts';
import { PROBLEM } from './defaults.ts';
import { idFault } from './ids.ts';
import type { ResolvedProblem } from './problem.ts';

/** What a module decides: nothing is set, or what completion sets, so that a complete study may be sent again. */
function checkLeftOut(requested: Problem, validationExamples: number, check: Checker): void {
  const { dataset, model, standardize, imbalanceFactor, labelNoise, augmentation } = requested;
  const isLeftOut = {
    dataset: dataset === '',
    model: model === '',
    validation_examples: [0, validationExamples].includes(requested.validationExamples),
    standardize: standardize === undefined,
    imbalance_factor: [0, PROBLEM.imbalanceFactor].includes(imbalanceFactor),
    label_noise: labelNoise === 0,
    augmentation: !augmentation?.cropPadding && !augmentation?.horizontalFlip,
  };
  for (const [field, holds] of Object.entries(isLeftOut)) {
    check.require(holds, `problem.${field}`, 'cannot be set with a module, which decides it');
  }
}

export function completeModule(
  requested: Problem,
  catalogue: Catalogue,
  check: Checker,
): { problem: Problem; resolved: ResolvedProblem } {
  const { module } = catalogue;
  const optimizer = catalogue.optimizers.find(({ id }) => id === requested.optimizer);
  const fault = idFault.optimizer(requested.optimizer, catalogue);
  check.require(fault === undefined, 'problem.optimizer', fault ?? '');
  const batchSize = requested.batchSize || PROBLEM.batchSize;
  check.require(batchSize >= 1, 'problem.batch_size', `${batchSize} is not positive`);
  const entry = module !== undefined && 'info' in module ? module : undefined;
  const isPossible = !hasPrototypeKey(requested.options);
  check.require(isPossible, 'problem.options', 'have the key __proto__, which no option may be called');
  if (module !== undefined && 'refused' in module)
    check.require(false, `problem.${module.field}`, module.refused);
  const validationExamples = entry?.info.validationExamples ?? 0;
  checkLeftOut(requested, validationExamples, check);
  const examples = entry?.info.trainExamples || Number.MAX_SAFE_INTEGER;
  check.require(
    batchSize <= examples,
    'problem.batch_size',
    `${batchSize} is more than the ${examples} examples that ${requested.module} has for training`,
  );
  return {
    problem: {
      ...{ module: requested.module, options: requested.options, dataset: '', model: '', batchSize },
      optimizer: requested.optimizer,
      validationExamples,
      standardize: undefined,
      imbalanceFactor: PROBLEM.imbalanceFactor,
      labelNoise: 0,
      augmentation: undefined,
    },
    resolved: { dataset: entry && datasetOf(entry), model: entry && modelOf(entry), optimizer },
  };
}

/** Whether a key would be lost on the way to the module: what checks its options leaves it out. */
const hasPrototypeKey = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  Object.entries(value).some(([key, entry]) => key === '__proto__' || hasPrototypeKey(entry));

/** The catalogue with the hyperparameters of a module's loss in place of those of a classifier's. */
export function withModuleLoss(requested: Problem | undefined, catalogue: Catalogue): Catalogue {
  const { module } = catalogue;
  if (!requested?.module || module === undefined) return catalogue;
  return { ...catalogue, lossHyperparameters: 'info' in module ? module.info.hyperparameters : [] };
}

/** A module's loss has no examples that a network could weigh. */
export function checkNoNetwork({ problem, space }: Study, check: Checker): void {
  const isThere = space?.parameters.some(({ name }) => name === REWEIGHTING) === true;
  check.require(!problem?.module || !isThere, `space.${REWEIGHTING}`, 'cannot be learned with a module');
}

const datasetOf = ({ info }: ModuleEntry): DatasetSummary => ({
  ...{ id: info.id, description: info.description, trainExamples: info.trainExamples },
  ...{ testExamples: 0, classes: 0, inputShape: [] },
});

const modelOf = ({ info, layers }: ModuleEntry): ModelEntry => ({
  info: { id: info.id, description: info.description, parameters: info.parameters },
  rejects: () => undefined,
  size: () => ({ layers, weights: info.parameters }),
});
