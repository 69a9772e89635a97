/** From a study, as a trial sees it, to the parts that train it. */

import { Differentiation, type DifferentiationCost } from '@glocal/proto/glocal/v1/study';
import type { Dataset } from '../data/registry.ts';
import { chooseDifferentiation } from '../hyper/differentiation.ts';
import { SearchPoint } from '../hyper/search-point.ts';
import { classification } from '../inner/classification.ts';
import { layerNames } from '../inner/hyperparameter.ts';
import { getOptimizer } from '../inner/registry.ts';
import { initialNetwork, type Reweighting } from '../inner/reweighting.ts';
import type { Differentiation as InnerDifferentiation } from '../inner/training-run.ts';
import type { Model } from '../model/model.ts';
import type { CheckedProblem } from '../problem/built.ts';
import { initialWeights, objectiveOf } from '../problem/objective.ts';
import type { CompleteStudy } from '../resource/complete-study.ts';
import { type LearnerOptions, TfjsLearner } from './learner.ts';
import { datasetData, moduleData } from './learner-data.ts';

/** What a trial runs on. */
export interface Assembly {
  readonly space: SearchPoint;
  readonly learner: TfjsLearner;
  /** Undefined when nothing is learned. */
  readonly differentiation: DifferentiationCost | undefined;
}

/**
 * Of a study of a classifier.
 * @param seed of the trial.
 * @param model built for the data set.
 * @throws DataError when the data set does not have what the study asks for.
 */
export function assemble(study: CompleteStudy, seed: number, dataset: Dataset, model: Model): Assembly {
  const reweighting = reweightingOf(study);
  const data = datasetData(dataset, { ...study, seed });
  const { classShares } = data;
  return assembleParts(study, seed, {
    objective: classification(model, { classShares, ...(reweighting !== undefined && { reweighting }) }),
    weights: model.initialise(seed),
    data,
  });
}

/**
 * Of a study of a module.
 * @param problem what the module has built for the trial's seed.
 * @throws DataError when it has fewer examples than the study asks for.
 */
export const assembleModule = (study: CompleteStudy, seed: number, problem: CheckedProblem): Assembly =>
  assembleParts(study, seed, {
    objective: objectiveOf(study.problem.module, problem),
    weights: initialWeights(problem),
    data: moduleData(problem, { ...study, seed }),
  });

function assembleParts(
  study: CompleteStudy,
  seed: number,
  parts: Pick<LearnerOptions, 'objective' | 'weights' | 'data'>,
): Assembly {
  const { problem, space: searchSpace, method } = study;
  const space = new SearchPoint(searchSpace, {
    layers: layerNames(parts.objective),
    classes: parts.objective.classes,
    initialNetwork: (hidden) => initialNetwork({ hidden }, seed),
    steps: study.training.steps,
  });
  const differentiation = chooseDifferentiation(study, space.components.length);
  const learner = new TfjsLearner({
    ...{ method, space, seed, ...parts },
    optimizer: getOptimizer(problem.optimizer),
    differentiation: differentiation && inner(differentiation, method.reverseSteps),
  });
  return { space, learner, differentiation };
}

function reweightingOf({ space }: CompleteStudy): Reweighting | undefined {
  for (const { kind } of space.parameters) {
    if (kind?.$case === 'network') return { hidden: kind.value.hiddenUnits, detached: kind.value.detached };
  }
  return undefined;
}

function inner({ used }: DifferentiationCost, reverseSteps: number): InnerDifferentiation {
  return used === Differentiation.REVERSE
    ? { method: 'reverse', steps: reverseSteps }
    : { method: 'forward' };
}
