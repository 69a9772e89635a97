/** How a study's hypergradients are computed (docs/method.md, section 4). */

import {
  Differentiation,
  type DifferentiationCost,
  Estimator,
  type Method,
  type Problem,
} from '@glocal/proto/glocal/v1/study';
import { predictCost } from './cost.ts';

/** How much cheaper reverse mode must be to be chosen: forward mode needs no trajectory, and its rows come one by one. */
const WORTH_REVERSE = 2;

/**
 * How derivatives are computed: as the study says, or the cheaper way by predicted cost. Sensitivities that are carried on,
 * and a whole training, need forward mode.
 * @param q components of a hypergradient.
 * @returns undefined when nothing is learned.
 */
export function chooseDifferentiation(
  { method, problem }: { readonly method: Method; readonly problem: Pick<Problem, 'batchSize'> },
  q: number,
): DifferentiationCost | undefined {
  const { estimator, window, stride, reverseSteps, differentiation, sensitivityDiscount } = method;
  const hypergradients = hypergradientsOf(method);
  if (hypergradients === 0) return undefined;
  const share = (method.tangentExamples ?? problem.batchSize) / problem.batchSize;
  const { forward, reverse } = predictCost({ q, window, hypergradients, stride, reverseSteps, share });
  const cost = { forwardGradients: forward, reverseGradients: reverse };
  if (differentiation !== Differentiation.AUTO) return { used: differentiation, ...cost };
  const mustBeForward = estimator === Estimator.GLOBAL || sensitivityDiscount > 0;
  const isReverse = !mustBeForward && WORTH_REVERSE * reverse < forward;
  const used = isReverse ? Differentiation.REVERSE : Differentiation.FORWARD;
  return { used, ...cost };
}

/** How many hypergradients an outer step takes, n_h. */
export function hypergradientsOf({ estimator, sigma }: Pick<Method, 'estimator' | 'sigma'>): number {
  switch (estimator) {
    case Estimator.FIXED:
      return 0;
    case Estimator.LOCAL:
    case Estimator.GLOBAL:
      return 1;
    default:
      return sigma;
  }
}

/** Inner steps that reverse mode has to keep at a time, at the end of a window. */
export function stepsKept(
  method: Pick<Method, 'estimator' | 'sigma' | 'window' | 'stride' | 'reverseSteps'>,
): number {
  const { window, stride, reverseSteps } = method;
  return Math.min(window, (hypergradientsOf(method) - 1) * stride + reverseSteps);
}
