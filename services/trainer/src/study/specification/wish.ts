/** A wished cost, and what the trainer chooses to keep to it (docs/method.md, section 12.4). */

import { Estimator, type Method } from '@glocal/proto/glocal/v1/study';
import type { OptimizerInfo } from '@glocal/proto/glocal/v1/study_service';
import { hypergradientsOf } from '../../hyper/differentiation.ts';
import { countWindows, type WindowPattern } from '../../resource/windows.ts';
import type { Checker } from './checker.ts';
import { costliestWindow, predictCost, type TrialKind } from './cost.ts';
import { sigma as defaultSigma, METHOD, OVERHEAD, WISHED } from './defaults.ts';
import type { MethodWithoutRate } from './method.ts';

const USES_WINDOWS: ReadonlySet<Estimator> = new Set([
  Estimator.LOCAL,
  Estimator.MEAN,
  Estimator.MEDIAN,
  Estimator.GLOCAL,
]);

/** What a trial may cost. */
interface Wish {
  /** In plain runs. */
  readonly overhead: number;
  /** Nobody has said it: a short training costs more, for the updates that it needs. */
  readonly isDefault: boolean;
}

/** Undefined where nothing is wished: `exact`, or what windows are and cost is said in part. */
function wishOf(requested: Method | undefined): Wish | undefined {
  if (requested === undefined || !USES_WINDOWS.has(requested.estimator)) return undefined;
  if (requested.cost?.$case === 'overhead') return { overhead: requested.cost.value, isDefault: false };
  const { window, sigma, stride, interval, warmupWindows, warmupWindowSteps } = requested;
  const { tangentExamples, validationSample, sensitivityDiscount, reverseSteps, cost, dmd } = requested;
  const isSilent =
    ![window, sigma, stride, interval, warmupWindows, warmupWindowSteps].some(Boolean) &&
    ![tangentExamples, cost].some((value) => value !== undefined) &&
    ![validationSample, sensitivityDiscount, reverseSteps, dmd?.stride].some(Boolean);
  return isSilent ? { overhead: OVERHEAD, isDefault: true } : undefined;
}

/** Whether a study wishes for a cost, in words or by saying nothing of it. */
export const hasWish = (requested: Method | undefined): boolean => wishOf(requested) !== undefined;

/**
 * The method with what a wish chooses before the problem is known: every third hypergradient, where the window and the
 * decomposition have room for that and nothing else is said about rows.
 */
export function withWishedRows(requested: Method | undefined): Method | undefined {
  if (!requested || !wishOf(requested)) return requested;
  if (requested.stride || requested.sigma || requested.dmd?.stride) return requested;
  const { stride } = WISHED;
  const rows = defaultSigma(stride);
  const hasRoom = (rows - 1) * stride < (requested.window || METHOD.window);
  const isEnough = (requested.dmd?.delays ?? 1) < rows;
  return hasRoom && isEnough ? { ...requested, stride } : requested;
}

/** What a wish is kept for. */
interface WishContext {
  /** T. */
  readonly steps: number;
  readonly kinds: readonly TrialKind[];
  /** That trials have. */
  readonly optimizers: readonly OptimizerInfo[];
  /** Whether weights of classes or examples are moved, about which the beginning of a training says nothing. */
  readonly weighs: boolean;
}

/**
 * The method with what a wished cost chooses of the fields that are not set: windows in a row, with second
 * derivatives on as much of the batch as that leaves; or, where no part of it is cheap enough, on the cheapest, and as many windows
 * as the wish pays: short ones in a row at first, and the others evenly over what is left; where weights of classes or examples are
 * moved, short ones evenly over all of it. Where trials differ, the costliest must keep to it.
 * @param requested before {@link withWishedRows}.
 * @param complete of what it made of that.
 */
export function withWish(
  requested: Method | undefined,
  complete: MethodWithoutRate,
  { steps, kinds, optimizers, weighs }: WishContext,
  check: Checker,
): MethodWithoutRate {
  const wish = wishOf(requested);
  if (requested === undefined || wish === undefined || hypergradientsOf(complete) === 0) return complete;
  const averaged = { ...complete, averaging: requested.averaging ?? averagingFor(optimizers) };
  const { method, pattern: wanted } = weighs
    ? spread(requested, averaged)
    : { method: averaged, pattern: requested };
  // Sensitivities cannot be kept over plain steps.
  const asked = method.sensitivityDiscount > 0 ? { ...wanted, interval: method.window } : wanted;
  // A module's batches may have no row for each example.
  const mayCut = asked.tangentExamples === undefined && kinds.every(({ problem }) => problem.model !== '');
  const candidates = (mayCut ? WISHED.partsOfBatch : [1]).map((part) => {
    const candidate = withExamples(asked, method, kinds, part);
    const warmupWindowSteps = asked.warmupWindowSteps || shortWindow(method);
    const costs = {
      whole: costliestWindow(candidate, kinds),
      short: costliestWindow({ ...candidate, window: warmupWindowSteps }, kinds),
    };
    return { candidate, costs, warmupWindowSteps };
  });
  const cheapest = candidates.reduce((best, other) => (other.costs.whole < best.costs.whole ? other : best));
  const budget = Math.max(
    (wish.overhead - 1) * steps,
    wish.isDefault ? costOfFewest(cheapest.costs, method, steps) : 0,
  );
  const room = Math.floor(steps / method.window);
  const mayBeInRow =
    asked.warmupWindows <= 1 &&
    [0, method.window].includes(asked.warmupWindowSteps) &&
    [0, method.window].includes(asked.interval);
  const inRow = candidates.find(({ costs }) => mayBeInRow && room * costs.whole <= budget * (1 + ROUNDING));
  if (inRow !== undefined) return { ...inRow.candidate, interval: method.window };
  const pattern = patternOf(asked, { ...cheapest, window: method.window, steps, budget });
  if (pattern !== undefined) return { ...cheapest.candidate, ...pattern };
  const sparsest = {
    ...cheapest.candidate,
    interval: asked.interval || steps,
    warmupWindows: asked.warmupWindows || 1,
    warmupWindowSteps: cheapest.warmupWindowSteps,
  };
  const least = Math.ceil(predictCost(sparsest, steps, kinds) * 1_000) / 1_000;
  check.require(
    false,
    'method.overhead',
    `${wish.overhead} is below the least that this study can cost, ${least}`,
  );
  return method;
}

/** Windows that are all as short as those at first are otherwise, and none of them in a row at first, unless that is set. */
function spread(
  requested: Method,
  complete: MethodWithoutRate,
): { readonly method: MethodWithoutRate; readonly pattern: Method } {
  const isSet = requested.window > 0 || requested.reverseSteps > 0;
  const window = isSet ? complete.window : shortWindow(complete);
  const warmupWindows = requested.warmupWindows || 1;
  const warmupWindowSteps = requested.warmupWindowSteps || window;
  return {
    method: { ...complete, window, warmupWindowSteps, reverseSteps: Math.min(complete.reverseSteps, window) },
    pattern: { ...requested, warmupWindows, warmupWindowSteps },
  };
}

/**
 * Decay of the running average: one that is short beside the windows, so that their hypergradients see the noise of the weights that
 * they leave behind; shorter still where steps do not shrink with the gradient (docs/method.md, section 11).
 */
function averagingFor(optimizers: readonly OptimizerInfo[]): number {
  const { averaging, averagingOfAdaptive } = WISHED;
  const averaged = optimizers.filter(({ averages }) => !averages);
  if (averaged.length === 0) return METHOD.averaging;
  return averaged.some(isAdaptive) ? averagingOfAdaptive : averaging;
}

/** Divides its steps by the root mean square of gradients. */
const isAdaptive = ({ hyperparameters }: OptimizerInfo): boolean =>
  hyperparameters.some(({ name }) => name === 'epsilon');

/** A wish may be exactly what so many windows cost. */
const ROUNDING = 1e-9;

/** What a short window and one of the whole length cost, in plain steps. */
interface WindowCosts {
  readonly short: number;
  readonly whole: number;
}

/** Half of the window, where its hypergradients have room in that. */
function shortWindow({ window, sigma, stride, estimator }: MethodWithoutRate): number {
  const half = Math.floor(window / 2);
  const span = estimator === Estimator.LOCAL ? 1 : (sigma - 1) * stride + 1;
  return half >= span ? half : window;
}

/** What the fewest updates cost that a schedule is found with, in plain steps; of a training with room for no more, all of it. */
function costOfFewest({ short, whole }: WindowCosts, { window }: MethodWithoutRate, steps: number): number {
  const room = Math.floor(steps / window);
  if (room <= WISHED.fewestWindows) return room * whole;
  const warmup = Math.round(WISHED.warmupShare * WISHED.fewestWindows);
  return warmup * short + (WISHED.fewestWindows - warmup) * whole;
}

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

/** Where as many windows lie as a budget pays, in plain steps; undefined where what is set asks for more. */
function patternOf(
  requested: Method,
  {
    window,
    warmupWindowSteps,
    costs,
    steps,
    budget,
  }: {
    readonly window: number;
    readonly warmupWindowSteps: number;
    readonly costs: WindowCosts;
    readonly steps: number;
    readonly budget: number;
  },
): Omit<WindowPattern, 'window'> | undefined {
  const inAll = budget / costs.short;
  const room = Math.floor(steps / warmupWindowSteps);
  const most = Math.min(WISHED.warmupWindows, Math.round(WISHED.warmupShare * inAll), room);
  const first = requested.warmupWindows || Math.max(1, most);
  const fewest = requested.warmupWindows || 1;
  for (let warmupWindows = first; warmupWindows >= fewest; warmupWindows--) {
    const others = Math.floor((budget - warmupWindows * costs.short) / costs.whole + ROUNDING);
    const rest = steps - warmupWindows * warmupWindowSteps;
    const smallest = Math.max(window, Math.floor(rest / (others + 1)) + 1);
    const interval = requested.interval || smallest;
    const pattern = { window, interval, warmupWindows, warmupWindowSteps };
    if (others >= 0 && countWindows(pattern, steps) <= warmupWindows + others) {
      return { interval, warmupWindows, warmupWindowSteps };
    }
  }
  return undefined;
}
