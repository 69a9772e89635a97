/** How the hyperparameters move: estimator, window, derivatives, outer optimizer. */

import {
  Differentiation,
  DmdAbsence,
  Estimator,
  EvaluationPoint,
  type Method,
  type Problem,
  type Study,
} from '@glocal/proto/glocal/v1/study';
import type { Limits, OptimizerInfo } from '@glocal/proto/glocal/v1/study_service';
import type { CompleteMethod } from '../../resource/complete-study.ts';
import { isImbalanced } from '../../resource/imbalance.ts';
import { type Checker, oneOfNames } from './checker.ts';
import { completeCost } from './cost.ts';
import { sigma as defaultSigma, METHOD, TRAININGS } from './defaults.ts';
import { completeDmd } from './dmd.ts';
import { completeOuter, type OuterWithoutRate } from './outer.ts';
import { completePattern } from './windows.ts';

const MAX_TRAININGS = 10_000;

/** What a method is checked against. */
export interface MethodContext {
  /** Inner steps of the training, which are the window of GLOBAL; as they were asked for. */
  readonly steps: number;
  readonly limits: Pick<Limits, 'maxWindowRows'>;
  /** Whether a rise of the validation loss says that a step went wrong ({@link isRiseTelling}). */
  readonly isRiseTelling: boolean;
}

/** A complete method but for its outer rate, which follows from the training (`withOuterRate`). */
export type MethodWithoutRate = Omit<CompleteMethod, 'outer'> & { readonly outer: OuterWithoutRate };

/**
 * Whether a rise of the validation loss by some nats says that a step went wrong: not where that loss has a unit of its own, nor where
 * classes are imbalanced, since the network then learns at first how frequent they are, which is not so in the validation examples.
 */
export const isRiseTelling = ({ problem, space }: Pick<Study, 'problem' | 'space'>): boolean =>
  !problem?.module &&
  !isImbalanced(problem) &&
  !space?.parameters.some(({ name }) => name === 'imbalance_factor');

/** Completes a method but for its outer rate. */
export function completeMethod(
  requested: Method | undefined,
  { steps, limits, isRiseTelling }: MethodContext,
  check: Checker,
): MethodWithoutRate {
  const estimator = completeEstimator(requested?.estimator ?? Estimator.UNSPECIFIED, check);
  const window = completeWindow(requested?.window ?? 0, estimator, steps, check);
  const stride = requested?.stride || METHOD.stride;
  check.require(stride >= 1, 'method.stride', `${stride} is not a positive number of steps`);
  const sigma = requested?.sigma || defaultSigma(Math.max(1, stride));
  const dmd = completeDmd(requested?.dmd, stride, check);
  const pattern = completePattern(requested, { estimator, window, steps }, check);
  checkSigma({ estimator, window, stride, sigma, ...pattern }, dmd.delays, limits, check);
  return {
    estimator,
    window,
    sigma,
    stride,
    dmd,
    evaluation: completeEvaluation(requested?.evaluation, check),
    averaging: completeAveraging(requested?.averaging, check),
    ...completeDerivatives(requested, estimator, window, check),
    validationSample: requested?.validationSample ?? 0,
    validationSeed: requested?.validationSeed ?? 0,
    trainings: completeTrainings(requested?.trainings ?? 0, estimator, check),
    dmdAbsence: completeDmdAbsence(requested?.dmdAbsence, check),
    ...pattern,
    // Left open: the batch, of which trials may have several.
    tangentExamples: requested?.tangentExamples,
    cost: completeCost(requested?.cost, { estimator }, check),
    outer: completeOuter(requested, isRiseTelling, check),
  };
}

function completeEstimator(estimator: Estimator, check: Checker): Estimator {
  if (estimator === Estimator.UNSPECIFIED) {
    check.require(false, 'method.estimator', `is missing; ${oneOfNames(Estimator)}`);
  } else {
    check.oneOf(estimator, Estimator, 'method.estimator');
  }
  return estimator;
}

function completeWindow(requested: number, estimator: Estimator, steps: number, check: Checker): number {
  if (estimator === Estimator.GLOBAL) {
    check.require(
      requested === 0 || requested === steps,
      'method.window',
      `${requested} is not training.steps, and the window of GLOBAL is a whole training; leave it out`,
    );
    return steps;
  }
  const window = requested || METHOD.window;
  check.require(window >= 1, 'method.window', `${window} is not a positive number of steps`);
  return window;
}

const USES_WINDOW: ReadonlySet<Estimator> = new Set([Estimator.MEAN, Estimator.MEDIAN, Estimator.GLOCAL]);

function checkSigma(
  {
    estimator,
    window,
    stride,
    sigma,
    warmupWindowSteps,
  }: Pick<Method, 'estimator' | 'window' | 'stride' | 'sigma' | 'warmupWindowSteps'>,
  delays: number,
  { maxWindowRows }: Pick<Limits, 'maxWindowRows'>,
  check: Checker,
): void {
  if (!check.require(sigma >= 1, 'method.sigma', `${sigma} is not a positive number of rows`)) return;
  if (!USES_WINDOW.has(estimator)) return;
  const least = delays + 1;
  if (estimator === Estimator.GLOCAL) {
    check.require(
      sigma >= least,
      'method.sigma',
      `${sigma} is too short for delays = ${delays}; at least ${least}, ${2 * delays} is a good start`,
    );
    check.require(
      maxWindowRows === 0 || sigma <= maxWindowRows,
      'method.sigma',
      `${sigma} hypergradients are more than the ${maxWindowRows} that the DMD service takes in a window`,
    );
  }
  const shortest = Math.min(window, warmupWindowSteps);
  if (shortest >= 1 && stride >= 1) {
    const apart = stride === 1 ? '' : ` taken at every ${ordinal(stride)} step`;
    check.require(
      (sigma - 1) * stride + 1 <= shortest,
      'method.sigma',
      `${sigma} hypergradients${apart} do not fit into ${shortest} inner steps; at most ${Math.floor((shortest - 1) / stride) + 1}`,
    );
  }
}

const ordinal = (n: number): string => (n === 2 ? '2nd' : n === 3 ? '3rd' : `${n}th`);

function completeEvaluation(requested: EvaluationPoint | undefined, check: Checker): EvaluationPoint {
  const evaluation = requested || METHOD.evaluation;
  check.oneOf(evaluation, EvaluationPoint, 'method.evaluation');
  return evaluation;
}

function completeDmdAbsence(requested: DmdAbsence | undefined, check: Checker): DmdAbsence {
  const absence = requested || METHOD.dmdAbsence;
  check.oneOf(absence, DmdAbsence, 'method.dmd_absence');
  return absence;
}

function completeAveraging(requested: number | undefined, check: Checker): number {
  const averaging = requested ?? METHOD.averaging;
  check.require(averaging >= 0 && averaging < 1, 'method.averaging', `${averaging} is not in [0, 1)`);
  return averaging;
}

/** Checks that a running average has a use with the optimizers that trials have; none while they are not known. */
export function checkAveraging(
  requested: Method | undefined,
  optimizers: readonly OptimizerInfo[],
  check: Checker,
): void {
  const { averaging = METHOD.averaging } = requested ?? {};
  const isOfNoUse = optimizers.length > 0 && optimizers.every(({ averages }) => averages);
  const ids = optimizers.map(({ id }) => id).join(', ');
  check.require(
    !isOfNoUse || averaging === METHOD.averaging,
    'method.averaging',
    `${averaging} has no use with ${ids}, which averages the weights itself; leave it out`,
  );
}

/** Sensitivities and how they are computed (docs/method.md, sections 2 and 4). */
function completeDerivatives(
  requested: Method | undefined,
  estimator: Estimator,
  window: number,
  check: Checker,
): Pick<Method, 'sensitivityDiscount' | 'differentiation' | 'reverseSteps'> {
  const sensitivityDiscount = requested?.sensitivityDiscount ?? METHOD.sensitivityDiscount;
  const differentiation = requested?.differentiation || METHOD.differentiation;
  // The whole window: nothing is left out unless the study says so.
  const reverseSteps = requested?.reverseSteps || Math.max(1, window);
  check.require(
    sensitivityDiscount >= 0 && sensitivityDiscount <= 1,
    'method.sensitivity_discount',
    `${sensitivityDiscount} is not in [0, 1]`,
  );
  check.oneOf(differentiation, Differentiation, 'method.differentiation');
  if (differentiation === Differentiation.REVERSE) {
    check.require(
      estimator !== Estimator.GLOBAL,
      'method.differentiation',
      'REVERSE goes back through some steps, and GLOBAL is about all of them; use FORWARD',
    );
    check.require(
      sensitivityDiscount === 0,
      'method.sensitivity_discount',
      `${sensitivityDiscount} of the sensitivity is to be kept, and REVERSE has none; use FORWARD`,
    );
  }
  check.require(
    reverseSteps >= 1 && (window < 1 || reverseSteps <= window),
    'method.reverse_steps',
    `${reverseSteps} is not a number of steps from 1 to method.window = ${window}`,
  );
  return { sensitivityDiscount, differentiation, reverseSteps };
}

/** Checks the sample that hypergradients are taken on for the complete problem that it is drawn from. */
export function checkSample(
  { validationSample }: Pick<Method, 'validationSample'>,
  { validationExamples }: Pick<Problem, 'validationExamples'>,
  check: Checker,
): void {
  check.require(
    validationSample >= 0 && (validationExamples < 1 || validationSample <= validationExamples),
    'method.validation_sample',
    `${validationSample} is not a number of examples from 1 to problem.validation_examples = ${validationExamples}, or 0 for all`,
  );
}

function completeTrainings(requested: number, estimator: Estimator, check: Checker): number {
  if (estimator !== Estimator.GLOBAL) {
    check.require(requested === 0, 'method.trainings', `${requested} is for GLOBAL only; leave it out`);
    return 0;
  }
  const trainings = requested || TRAININGS;
  check.whole(trainings, [1, MAX_TRAININGS], 'method.trainings', 'trainings');
  return trainings;
}
