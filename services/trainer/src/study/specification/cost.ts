/** What a trial is predicted to cost (docs/method.md, section 12.3). */

import { Differentiation, Estimator, type Method, type Problem } from '@glocal/proto/glocal/v1/study';
import { chooseDifferentiation, hypergradientsOf } from '../../hyper/differentiation.ts';
import { trialCost, windowCost } from '../../hyper/trial-cost.ts';
import { countWarmupWindows, countWindows } from '../../resource/windows.ts';
import type { Checker } from './checker.ts';
import type { MethodWithoutRate } from './method.ts';

/** What the cost of a trial depends on besides its method. */
export interface TrialKind {
  readonly problem: Pick<Problem, 'model' | 'batchSize' | 'validationExamples'>;
  /** Components of a hypergradient, q. */
  readonly components: number;
}

/** Cost in plain runs of the costliest trial; 1 where there is none. @param steps T. */
export function predictCost(method: MethodWithoutRate, steps: number, kinds: readonly TrialKind[]): number {
  const warmup = countWarmupWindows(method, steps);
  const ofWarmup = costliestWindow({ ...method, window: method.warmupWindowSteps }, kinds);
  const others = countWindows(method, steps) - warmup;
  return trialCost(steps, warmup * ofWarmup + others * costliestWindow(method, kinds));
}

/** Of a window of the costliest trial, in plain steps. */
export function costliestWindow(method: MethodWithoutRate, kinds: readonly TrialKind[]): number {
  const costs = kinds.map(({ problem, components: q }) => {
    const { model, batchSize, validationExamples } = problem;
    const { window, stride, reverseSteps, tangentExamples = batchSize, validationSample } = method;
    return windowCost({
      ...{ q, window, stride, reverseSteps, model, batchSize, tangentExamples },
      hypergradients: hypergradientsOf(method),
      isReverse: chooseDifferentiation({ method, problem }, q)?.used === Differentiation.REVERSE,
      validationExamples: validationSample || validationExamples,
    });
  });
  return Math.max(0, ...costs);
}

/** A wish as it is kept. */
export function completeCost(
  cost: Method['cost'],
  { estimator }: Pick<Method, 'estimator'>,
  check: Checker,
): Method['cost'] {
  if (cost?.$case === 'overhead') {
    const wish = cost.value;
    const isWish = wish >= 1 && Number.isFinite(wish);
    check.require(isWish, 'method.overhead', `${wish} is not a number of plain runs of 1 or more`);
    check.require(
      estimator !== Estimator.GLOBAL,
      'method.overhead',
      'cannot be chosen with GLOBAL, whose window is a whole training; leave it out',
    );
  }
  if (cost?.$case === 'exact') check.require(cost.value, 'method.exact', 'is false; leave it out');
  return cost;
}

/** Checks that nothing contradicts `exact`. */
export function checkExact(
  requested: Method | undefined,
  method: MethodWithoutRate,
  kinds: readonly TrialKind[],
  check: Checker,
): void {
  if (method.cost?.$case !== 'exact') return;
  const {
    interval = 0,
    warmupWindowSteps = 0,
    stride = 0,
    tangentExamples,
    validationSample = 0,
  } = requested ?? {};
  const against = (field: string, holds: boolean, asks: string) =>
    check.require(holds, `method.${field}`, `is set, and method.exact asks for ${asks}; leave it out`);
  against('interval', interval === 0 || interval === method.window, 'windows in a row');
  against('warmup_window_steps', [0, method.window].includes(warmupWindowSteps), 'windows of one length');
  against('stride', stride <= 1, 'every hypergradient');
  against('validation_sample', validationSample === 0, 'all validation examples');
  const isWhole = kinds.every(({ problem }) => [undefined, problem.batchSize].includes(tangentExamples));
  against('tangent_examples', isWhole, 'the whole batch');
}
