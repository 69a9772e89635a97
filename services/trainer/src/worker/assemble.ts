/** From a study, as a trial sees it, to the parts that train it. */

import { Differentiation, type DifferentiationCost, type Problem } from '@glocal/proto/glocal/v1/study';
import type { Dataset } from '../data/registry.ts';
import { chooseDifferentiation } from '../hyper/differentiation.ts';
import { SearchPoint } from '../hyper/search-point.ts';
import { layerNames } from '../inner/hyperparameter.ts';
import { initialNetwork, type Reweighting } from '../inner/reweighting.ts';
import type { Differentiation as InnerDifferentiation } from '../inner/training-run.ts';
import type { Model } from '../model/model.ts';
import type { CompleteStudy } from '../resource/complete-study.ts';
import { validationExamples as defaultValidationExamples } from '../study/specification/defaults.ts';
import { TfjsLearner } from './learner.ts';

/** What a trial runs on. */
export interface Assembly {
  readonly space: SearchPoint;
  readonly learner: TfjsLearner;
  /** Undefined when nothing is learned. */
  readonly differentiation: DifferentiationCost | undefined;
}

/**
 * @param seed of the trial.
 * @param model built for the data set.
 * @throws DataError when the data set does not have what the study asks for.
 */
export function assemble(study: CompleteStudy, seed: number, dataset: Dataset, model: Model): Assembly {
  const { problem, space: searchSpace, method } = study;
  const reweighting = reweightingOf(study);
  const space = new SearchPoint(searchSpace, {
    layers: layerNames(model),
    classes: model.classes,
    initialNetwork: (hidden) => initialNetwork({ hidden }, seed),
  });
  const differentiation = chooseDifferentiation(study, space.components.length);
  const learner = new TfjsLearner({
    method,
    problem: withValidation(problem, dataset),
    seed,
    dataset,
    model,
    loss: reweighting === undefined ? {} : { reweighting },
    space,
    differentiation: differentiation && inner(differentiation, method.reverseSteps),
  });
  return { space, learner, differentiation };
}

/** The problem with as many validation examples as a data set has by default, where the study leaves that open. */
const withValidation = (problem: Problem, { train }: Dataset): Problem => ({
  ...problem,
  validationExamples: problem.validationExamples || defaultValidationExamples(train.count),
});

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
