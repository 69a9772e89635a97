/** Checks a study and fills its defaults in, before anything trains. Pure: the catalogue and the limits come in. */

import { RunMode, type Study, StudyState } from '@glocal/proto/glocal/v1/study';
import type { Limits, OptimizerInfo } from '@glocal/proto/glocal/v1/study_service';
import { withoutUnknown } from '@glocal/proto/unknown-fields';
import type { CompleteStudy, ExternalStudy } from '../resource/complete-study.ts';
import type { FieldViolation } from '../resource/errors.ts';
import type { Catalogue } from './catalogue.ts';
import { spaceAt } from './conditions.ts';
import { sortedLabels } from './labels.ts';
import { Checker } from './specification/checker.ts';
import { checkExact, predictCost, type TrialKind } from './specification/cost.ts';
import { completeExternal } from './specification/external.ts';
import { checkAveraging, checkSample, completeMethod, isRiseTelling } from './specification/method.ts';
import { completeMode } from './specification/mode.ts';
import { checkNoNetwork, withModuleLoss } from './specification/module.ts';
import { checkNames } from './specification/names.ts';
import { withOuterRate } from './specification/outer.ts';
import { completeProblems, type Inspect } from './specification/problems.ts';
import { completeSampling } from './specification/sampling.ts';
import { checkSize, sizedProblem } from './specification/size.ts';
import { checkTrialSpace, completeSpace, movesWeights } from './specification/space.ts';
import { checkTangentExamples } from './specification/tangents.ts';
import { checkWholeWindows, completeTraining } from './specification/training.ts';
import { checkVectors } from './specification/vectors.ts';
import { withWish, withWishedRows } from './specification/wish.ts';

/** Limits of the server that a study is checked against. */
export type StudyLimits = Pick<Limits, 'maxSteps' | 'maxTrials' | 'maxWindowRows' | 'maxComponents'>;

/** What comes of a check: a study that may train, or what keeps it from that. */
export type Completion =
  | { readonly study: CompleteStudy | ExternalStudy; readonly violations: readonly [] }
  | { readonly study: undefined; readonly violations: readonly FieldViolation[] };

/**
 * Checks what a caller asked for. A study says what it is trained with: fields that only a newer trainer knows are not in it.
 * @returns the study with every default filled in, or one violation per problem (paths in proto names; `space.lr.min`
 *   for the parameter named `lr`).
 */
export function completeStudy(given: Study, catalogue: Catalogue, limits: StudyLimits): Completion {
  const requested = withoutUnknown(given);
  const check = new Checker();
  checkNames(requested, check);
  const isExternal = requested.mode === RunMode.EXTERNAL;
  const parts = isExternal
    ? completeExternal(requested, limits, check)
    : completeTrained(requested, catalogue, limits, check);
  const study: Study = {
    name: '',
    displayName: requested.displayName,
    priority: requested.priority,
    ...parts,
    state: StudyState.ACTIVE,
    stateReason: '',
    createTime: undefined,
    updateTime: undefined,
    labels: sortedLabels(requested.labels),
    owner: '',
    ...completeMode(requested, check),
  };
  if (check.violations.length > 0) return { study: undefined, violations: check.violations };
  return { study: study as CompleteStudy | ExternalStudy, violations: [] };
}

/** Space, problem, training and method of a study that the service trains. */
function completeTrained(
  requested: Study,
  catalogue: Catalogue,
  limits: StudyLimits,
  check: Checker,
): Pick<Study, 'space' | 'problem' | 'training' | 'method' | 'sampling' | 'predictedCost'> {
  const steps = requested.training?.steps ?? 0;
  const asked = withWishedRows(requested.method);
  const method = completeMethod(asked, { steps, limits, isRiseTelling: isRiseTelling(requested) }, check);
  const training = completeTraining(requested.training, method, limits, check);
  const optimizers = optimizersOf(requested, catalogue);
  checkAveraging(requested.method, optimizers, check);
  const known = withModuleLoss(requested.problem, catalogue);
  const space = completeSpace(
    requested.space,
    { catalogue: known, optimizers, steps },
    method.estimator,
    check,
  );
  checkNoNetwork(requested, check);
  const source = { space, seeds: training.seeds.length };
  const { sampling, points } = completeSampling(requested.sampling, source, limits, check);
  const isSound = check.violations.length === 0;
  const kinds: TrialKind[] = [];
  const inspect: Inspect = (variant, own) => {
    checkSample(method, variant.problem, own);
    const there = spaceAt(space, variant.choices);
    checkTangentExamples(method, there, variant, own);
    if (isSound) checkTrialSpace(there, method.estimator, variant.optimizer, own);
    const sized = sizedProblem(there, variant);
    if (sized === undefined) return;
    checkVectors(there, space.parameters, sized, catalogue.replays, own);
    if (!isSound || own.violations.length > 0) return;
    checkSize(sized, method, limits, own);
    kinds.push(sized);
  };
  const problem = completeProblems(requested.problem, points, catalogue, inspect, check);
  const weighs = movesWeights(space);
  const wished =
    check.violations.length === 0
      ? withWish(requested.method, method, { steps, kinds, optimizers, weighs }, check)
      : method;
  checkWholeWindows(steps, wished, check);
  checkExact(requested.method, method, kinds, check);
  const predictedCost = predictCost(wished, steps, kinds);
  return {
    space,
    problem,
    training,
    sampling,
    method: withOuterRate(wished, training, weighs),
    predictedCost,
  };
}

/** Those that trials will have; none when one of them is not known. */
function optimizersOf({ problem, space }: Study, catalogue: Catalogue): OptimizerInfo[] {
  const { kind } = space?.parameters.find(({ name }) => name === 'optimizer') ?? {};
  const ids = kind?.$case === 'categorical' ? kind.value.values : [problem?.optimizer ?? ''];
  const found = ids.flatMap((id) => catalogue.optimizers.find((optimizer) => optimizer.id === id) ?? []);
  return found.length === ids.length ? found : [];
}
