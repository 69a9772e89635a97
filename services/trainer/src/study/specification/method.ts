/** How the hyperparameters move: estimator, window, derivatives, outer optimizer. */

import {
  Differentiation,
  Estimator,
  EvaluationPoint,
  type Method,
  type Problem,
  type Training,
} from '@glocal/proto/glocal/v1/study';
import type { Checker } from './checker.ts';
import { completeDmd } from './dmd.ts';

const DEFAULT_WINDOW = 50;
/** Inner steps that the hypergradients of a window span (docs/method.md, section 11). */
const DEFAULT_SPAN = 20;
const DEFAULT_AVERAGING = 0.98;
const DEFAULT_TRAININGS = 10;
const MAX_TRAININGS = 10_000;

const ESTIMATORS = 'one of FIXED, LOCAL, MEAN, MEDIAN, GLOCAL, GLOBAL';

/**
 * @param steps inner steps of the training, which are the window of GLOBAL; as they were asked for.
 * @param validationExamples of the complete problem.
 */
export function completeMethod(
  requested: Method | undefined,
  { steps }: Pick<Training, 'steps'>,
  { validationExamples }: Pick<Problem, 'validationExamples'>,
  check: Checker,
): Method {
  const estimator = requested?.estimator ?? Estimator.UNSPECIFIED;
  check.require(
    estimator !== Estimator.UNSPECIFIED && estimator !== Estimator.UNRECOGNIZED,
    'method.estimator',
    `is missing; ${ESTIMATORS}`,
  );
  const window = completeWindow(requested?.window ?? 0, estimator, steps, check);
  const stride = requested?.stride || 1;
  check.require(stride >= 1, 'method.stride', `${stride} is not a positive number of steps`);
  const sigma = requested?.sigma || Math.floor((DEFAULT_SPAN - 1) / Math.max(1, stride)) + 1;
  const dmd = completeDmd(requested?.dmd, stride, check);
  checkSigma({ estimator, window, stride, sigma }, dmd.delays ?? 0, check);
  return {
    estimator,
    window,
    sigma,
    stride,
    dmd,
    evaluation: completeEvaluation(requested?.evaluation, check),
    averaging: completeAveraging(requested?.averaging, check),
    ...completeDerivatives(requested, estimator, window, check),
    validationSample: completeSample(requested?.validationSample ?? 0, validationExamples, check),
    validationSeed: requested?.validationSeed ?? 0,
    trainings: completeTrainings(requested?.trainings ?? 0, estimator, check),
    outer: completeOuter(requested?.outer, check),
  };
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
  const window = requested || DEFAULT_WINDOW;
  check.require(window >= 1, 'method.window', `${window} is not a positive number of steps`);
  return window;
}

const USES_WINDOW: ReadonlySet<Estimator> = new Set([Estimator.MEAN, Estimator.MEDIAN, Estimator.GLOCAL]);

function checkSigma(
  { estimator, window, stride, sigma }: Pick<Method, 'estimator' | 'window' | 'stride' | 'sigma'>,
  delays: number,
  check: Checker,
): void {
  if (!USES_WINDOW.has(estimator)) return;
  if (!check.require(sigma >= 1, 'method.sigma', `${sigma} is not a positive number of rows`)) return;
  const least = delays + 1;
  if (estimator === Estimator.GLOCAL) {
    check.require(
      sigma >= least,
      'method.sigma',
      `${sigma} is too short for delays = ${delays}; at least ${least}, ${2 * delays} is a good start`,
    );
  }
  if (window >= 1 && stride >= 1) {
    const apart = stride === 1 ? '' : ` taken at every ${ordinal(stride)} step`;
    check.require(
      (sigma - 1) * stride + 1 <= window,
      'method.sigma',
      `${sigma} hypergradients${apart} do not fit into ${window} inner steps; at most ${Math.floor((window - 1) / stride) + 1}`,
    );
  }
}

const ordinal = (n: number): string => (n === 2 ? '2nd' : n === 3 ? '3rd' : `${n}th`);

function completeEvaluation(requested: EvaluationPoint | undefined, check: Checker): EvaluationPoint {
  const evaluation = requested || EvaluationPoint.AVERAGED;
  check.require(
    evaluation !== EvaluationPoint.UNRECOGNIZED,
    'method.evaluation',
    'is unknown; one of LAST_ITERATE, AVERAGED',
  );
  return evaluation;
}

function completeAveraging(requested: number | undefined, check: Checker): number {
  const averaging = requested ?? DEFAULT_AVERAGING;
  check.require(averaging >= 0 && averaging < 1, 'method.averaging', `${averaging} is not in [0, 1)`);
  return averaging;
}

/** Sensitivities and how they are computed (docs/method.md, sections 2 and 4). */
function completeDerivatives(
  requested: Method | undefined,
  estimator: Estimator,
  window: number,
  check: Checker,
): Pick<Method, 'sensitivityDiscount' | 'differentiation' | 'reverseSteps'> {
  const sensitivityDiscount = requested?.sensitivityDiscount ?? 0;
  const differentiation = requested?.differentiation || Differentiation.AUTO;
  // The whole window: nothing is left out unless the study says so.
  const reverseSteps = requested?.reverseSteps || Math.max(1, window);
  check.require(
    sensitivityDiscount >= 0 && sensitivityDiscount <= 1,
    'method.sensitivity_discount',
    `${sensitivityDiscount} is not in [0, 1]`,
  );
  if (
    check.require(
      differentiation !== Differentiation.UNRECOGNIZED,
      'method.differentiation',
      'is unknown; one of AUTO, FORWARD, REVERSE',
    ) &&
    differentiation === Differentiation.REVERSE
  ) {
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

function completeSample(requested: number, validationExamples: number, check: Checker): number {
  check.require(
    requested >= 0 && (validationExamples < 1 || requested <= validationExamples),
    'method.validation_sample',
    `${requested} is not a number of examples from 1 to problem.validation_examples = ${validationExamples}, or 0 for all`,
  );
  return requested;
}

function completeTrainings(requested: number, estimator: Estimator, check: Checker): number {
  if (estimator !== Estimator.GLOBAL) {
    check.require(requested === 0, 'method.trainings', `${requested} is for GLOBAL only; leave it out`);
    return 0;
  }
  const trainings = requested || DEFAULT_TRAININGS;
  check.require(
    trainings >= 1 && trainings <= MAX_TRAININGS,
    'method.trainings',
    `${trainings} is not a number of trainings from 1 to ${MAX_TRAININGS}`,
  );
  return trainings;
}

function completeOuter(requested: Method['outer'], check: Checker): NonNullable<Method['outer']> {
  const { rate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = requested ?? {};
  if (rate !== undefined) {
    check.require(rate > 0 && Number.isFinite(rate), 'method.outer.rate', `${rate} is not a positive number`);
  }
  check.require(beta1 >= 0 && beta1 < 1, 'method.outer.beta1', `${beta1} is not in [0, 1)`);
  check.require(beta2 >= 0 && beta2 < 1, 'method.outer.beta2', `${beta2} is not in [0, 1)`);
  check.require(
    epsilon > 0 && Number.isFinite(epsilon),
    'method.outer.epsilon',
    `${epsilon} is not a positive number`,
  );
  return { rate, beta1, beta2, epsilon };
}

/** Default outer rate: 0.3 at up to 40 outer steps, about 0.1 at 400 (docs/method.md, section 7). */
export function defaultOuterRate(outerSteps: number): number {
  return 0.3 * Math.min(1, Math.sqrt(40 / outerSteps));
}

/** The method with an outer rate that fits the number of outer steps, unless it has one. */
export function withOuterRate(method: Method, { steps }: Pick<Training, 'steps'>): Method {
  const outer = method.outer ?? { rate: undefined, beta1: undefined, beta2: undefined, epsilon: undefined };
  const outerSteps = method.trainings || steps / method.window;
  return { ...method, outer: { ...outer, rate: outer.rate ?? defaultOuterRate(outerSteps) } };
}
