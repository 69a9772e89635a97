/** What a trial may cost, and what it is predicted to cost (docs/method.md, sections 12.3 and 12.4). */

import { Differentiation, Estimator, type Method, type Problem } from '@glocal/proto/glocal/v1/study';
import { chooseDifferentiation, hypergradientsOf } from '../../hyper/differentiation.ts';
import { trialCost, windowCost } from '../../hyper/trial-cost.ts';
import { countWarmupWindows, countWindows, type WindowPattern } from '../../resource/windows.ts';
import type { Checker } from './checker.ts';
import { sigma as defaultSigma, METHOD, WISHED } from './defaults.ts';
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

/** In plain steps. */
function costliestWindow(method: MethodWithoutRate, kinds: readonly TrialKind[]): number {
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

/**
 * The method with what a wish chooses before the problem is known: every third hypergradient, where the window and the
 * decomposition have room for that and nothing else is said about rows.
 */
export function withWishedRows(requested: Method | undefined): Method | undefined {
  if (requested?.cost?.$case !== 'overhead' || requested.stride || requested.sigma) return requested;
  const { stride } = WISHED;
  const rows = defaultSigma(stride);
  const hasRoom = (rows - 1) * stride < (requested.window || METHOD.window);
  const isEnough = (requested.dmd?.delays ?? 1) < rows;
  return hasRoom && isEnough ? { ...requested, stride } : requested;
}

/** Checks that nothing contradicts `exact`. */
export function checkExact(
  requested: Method | undefined,
  method: MethodWithoutRate,
  kinds: readonly TrialKind[],
  check: Checker,
): void {
  if (method.cost?.$case !== 'exact') return;
  const { interval = 0, stride = 0, tangentExamples, validationSample = 0 } = requested ?? {};
  const against = (field: string, holds: boolean, asks: string) =>
    check.require(holds, `method.${field}`, `is set, and method.exact asks for ${asks}; leave it out`);
  against('interval', interval === 0 || interval === method.window, 'windows in a row');
  against('stride', stride <= 1, 'every hypergradient');
  against('validation_sample', validationSample === 0, 'all validation examples');
  const isWhole = kinds.every(({ problem }) => [undefined, problem.batchSize].includes(tangentExamples));
  against('tangent_examples', isWhole, 'the whole batch');
}

/**
 * The method with what a wished cost chooses of the fields that are not set: windows in a row, with second
 * derivatives on as much of the batch as that leaves; or, where no part of it is cheap enough, on the cheapest, and as many windows
 * as the wish pays: three of five in a row at first, but at most twelve, and the others evenly over what is left. Where trials
 * differ, the costliest must keep to it.
 * @param steps T.
 */
export function withWish(
  requested: Method | undefined,
  method: MethodWithoutRate,
  { steps, kinds }: { readonly steps: number; readonly kinds: readonly TrialKind[] },
  check: Checker,
): MethodWithoutRate {
  if (requested === undefined || method.cost?.$case !== 'overhead' || hypergradientsOf(method) === 0) {
    return method;
  }
  const { value: wish } = method.cost;
  // Sensitivities cannot be kept over plain steps.
  const asked = method.sensitivityDiscount > 0 ? { ...requested, interval: method.window } : requested;
  const parts = requested.tangentExamples === undefined ? WISHED.partsOfBatch : [1];
  const candidates = parts
    .map((part) => withExamples(requested, method, kinds, part))
    .map((candidate) => ({ candidate, cost: costliestWindow(candidate, kinds) }))
    .map(({ candidate, cost }) => {
      const affordable = Math.floor(((wish - 1) * steps) / cost + ROUNDING);
      const pattern = patternOf(asked, { window: method.window, steps, affordable });
      return { candidate, cost, pattern };
    });
  const cheapest = candidates.reduce((best, other) => (other.cost < best.cost ? other : best));
  const inRow = candidates.find(({ pattern }) => pattern?.interval === method.window);
  const { candidate, pattern } = inRow ?? cheapest;
  if (pattern !== undefined) return { ...candidate, ...pattern };
  const sparsest = {
    ...candidate,
    interval: asked.interval || steps,
    warmupWindows: asked.warmupWindows || 1,
  };
  const least = Math.ceil(predictCost(sparsest, steps, kinds) * 1_000) / 1_000;
  check.require(false, 'method.overhead', `${wish} is below the least that this study can cost, ${least}`);
  return method;
}

/** A wish may be exactly what so many windows cost. */
const ROUNDING = 1e-9;

function withExamples(
  requested: Method,
  method: MethodWithoutRate,
  kinds: readonly TrialKind[],
  parts: number,
): MethodWithoutRate {
  const least = (size: (problem: TrialKind['problem']) => number) =>
    Math.min(...kinds.map(({ problem }) => size(problem)));
  const part = parts === 1 ? undefined : Math.ceil(least(({ batchSize }) => batchSize) / parts);
  const { validationSample } = WISHED;
  const isLarge = least(({ validationExamples }) => validationExamples) > validationSample;
  return {
    ...method,
    tangentExamples: requested.tangentExamples ?? part,
    validationSample: requested.validationSample || (isLarge ? validationSample : 0),
  };
}

/** Where at most so many windows lie; undefined where what is set asks for more. */
function patternOf(
  requested: Method,
  { window, steps, affordable }: { window: number; steps: number; affordable: number },
): Pick<WindowPattern, 'interval' | 'warmupWindows'> | undefined {
  const room = Math.floor(steps / window);
  if (!requested.interval && !requested.warmupWindows && affordable >= room) {
    return { interval: window, warmupWindows: METHOD.warmupWindows };
  }
  const most = Math.min(WISHED.warmupWindows, Math.round(WISHED.warmupShare * affordable), room);
  const first = requested.warmupWindows || Math.max(1, most);
  const fewest = requested.warmupWindows || 1;
  for (let warmupWindows = first; warmupWindows >= fewest; warmupWindows--) {
    const others = affordable - warmupWindows;
    const rest = steps - warmupWindows * window;
    const smallest = Math.max(window, Math.floor(rest / (others + 1)) + 1);
    const interval = requested.interval || smallest;
    if (
      others >= 0 &&
      countWindows({ window, interval, warmupWindows, warmupWindowSteps: window }, steps) <= affordable
    ) {
      return { interval, warmupWindows };
    }
  }
  return undefined;
}
