/** From a window to what is done with the hyperparameters: the one place of all rules (docs/method.md, 6–8). Pure. */

import { Verdict, type WindowReport } from '@glocal/proto/glocal/v1/dmd';
import {
  Estimator,
  EvaluationPoint,
  type Method,
  type OuterOptimizer,
  Source,
} from '@glocal/proto/glocal/v1/study';
import { decodeRow } from '../resource/rows.ts';
import { isFiniteRow, lastRow, meanRow, medianRow, type Rows } from './window.ts';

interface Move {
  readonly action: 'move';
  /** One entry a component. */
  readonly hypergradient: Float64Array;
  readonly sources: readonly Source[];
  readonly reason: string;
  /** Whether it is the local hypergradient in place of a report that did not come. */
  readonly fellBack: boolean;
}

interface Hold {
  readonly action: 'hold';
  readonly reason: string;
}

interface RollBack {
  readonly action: 'rollBack';
  readonly reason: string;
}

/** The learning rates themselves are too high, whatever the last move was. */
interface LowerRates {
  readonly action: 'lowerRates';
  readonly reason: string;
  /** Whether the window is taken back, and trained again with them. */
  readonly goesBack: boolean;
}

/** The learning rates are pushed down: a step of the outer optimizer's, for the largest hypergradient that counts. All else is held. */
interface EaseRates {
  readonly action: 'easeRates';
  readonly reason: string;
}

/** There is nothing to learn from, so nothing moves. */
interface Observe {
  readonly action: 'observe';
}

/** What a window alone suggests. */
export type Suggestion = Move | Hold | RollBack;

/** What is done about it, where training has come from being known. */
export type Conclusion =
  | Suggestion
  | Observe
  | LowerRates
  | EaseRates
  /** Going back has not helped: the trial is infeasible. */
  | { readonly action: 'giveUp'; readonly reason: string };

/** What the policy looks at of a trained window. */
export interface WindowFindings {
  /** Whether there was one: what is left of a training after its last window has none. */
  readonly hasWindow: boolean;
  readonly rows: Rows;
  readonly report: WindowReport | undefined;
  /** Why there is no report, where one was asked for. */
  readonly noReport: string | undefined;
  readonly trainLoss: number;
  /** Whether its validation loss is known; that of the boundary before is in its place otherwise. */
  readonly hasLoss: boolean;
  readonly validation: { readonly loss: number };
  readonly averagedValidation: { readonly loss: number };
  /** Inner steps done at its end. */
  readonly stepsDone: number;
}

/** Where training has come from. */
export interface Before {
  /** At the last boundary, in nats. */
  readonly validationLoss: number;
  /** The same at the averaged weights. */
  readonly averagedValidationLoss: number;
  /** The lowest at a boundary so far, at the weights that hypergradients are taken at, since rates were last lowered for it. */
  readonly lowestLoss: number;
  /** Inner steps done there. */
  readonly stepsDone: number;
  /** Whether there is a move that can be made again at half the rate. */
  readonly canRetry: boolean;
  /** Whether learning rates are learned that can be lowered (`SearchPoint.lowerRates`). */
  readonly canLowerRates: boolean;
}

/** What the policy looks at of a method. */
export interface Rules extends Pick<Method, 'estimator' | 'evaluation'> {
  readonly outer: Pick<OuterOptimizer, 'maxLossRise' | 'normalize'>;
  /**
   * By how much the validation loss may rise while nothing is wrong, in nats, as where the network learns how frequent imbalanced
   * classes are; 0 where it does not. `maxLossRise` counts in its place where it is above 0.
   */
  readonly mayRiseBy: number;
}

/** A validation loss falls well when it loses more than this share of itself in an outer step. */
const FALLS = 0.1;

/** What to do after a window. */
export function conclude(rules: Rules, window: WindowFindings, before: Before): Conclusion {
  const { estimator } = rules;
  if (!isSound(window)) {
    const reason = 'a loss or hypergradient is not finite';
    return goBack({ action: 'rollBack', reason }, rules, window, before);
  }
  if (estimator === Estimator.FIXED) return { action: 'observe' };
  if (!window.hasWindow) return unlessRisen({ action: 'observe' }, rules, window, before);
  const suggestion = suggest(estimator, window.rows, window.report, window.noReport);
  return suggestion.action === 'rollBack'
    ? goBack(suggestion, rules, window, before)
    : unlessRisen(suggestion, rules, window, before);
}

/**
 * A step that raised the validation loss by too much is taken back, once for each move, and then the rates are lowered. Where
 * there is nothing left to take back, the window's own hypergradients are what is known of the way down.
 */
function unlessRisen(
  suggestion: Move | Hold | Observe,
  rules: Rules,
  window: WindowFindings,
  before: Before,
): Conclusion {
  const { canRetry } = before;
  const { maxLossRise = 0 } = rules.outer;
  const rise = riseOf(rules, window, before);
  if (maxLossRise === 0) return suggestion;
  if (!(rise > maxLossRise)) return unlessDrifted(suggestion, rules, window, before);
  const why = `the validation loss rose by ${rise.toPrecision(3)}, more than ${maxLossRise}`;
  if (canRetry) return { action: 'rollBack', reason: why };
  if (before.canLowerRates && hasLost(window, before)) {
    return { action: 'lowerRates', reason: why, goesBack: true };
  }
  if (suggestion.action === 'observe') return suggestion;
  return { ...suggestion, reason: `${suggestion.reason}; ${why}, and there is nothing left to take back` };
}

/**
 * Several steps that each raised the validation loss by less have together raised it by too much: the rates are lowered. Which of
 * them it was is not known, so that none is taken back.
 */
function unlessDrifted(
  suggestion: Move | Hold | EaseRates | Observe,
  rules: Rules,
  window: WindowFindings,
  before: Before,
): Conclusion {
  const { maxLossRise = 0 } = rules.outer;
  const above = lossOf(rules, window) - before.lowestLoss;
  const isTooMuch = maxLossRise > 0 && above > maxLossRise && hasLost(window, before);
  if (suggestion.action === 'observe' || !isTooMuch || !before.canLowerRates) return suggestion;
  const reason = `the validation loss is ${above.toPrecision(3)} above the lowest so far, more than ${maxLossRise}`;
  return { action: 'lowerRates', reason, goesBack: false };
}

/**
 * Going back costs all inner steps since the last boundary: only where the validation loss says so, too, by as much as an outer step
 * may raise it, or without such a limit by what frequencies explain (in the first window, whose average is still near the start, with
 * a limit by anything, or by so much at the last weights), and once for each move.
 */
function goBack(wish: RollBack, rules: Rules, window: WindowFindings, before: Before): Conclusion {
  const { canRetry, canLowerRates } = before;
  const { reason } = wish;
  const { maxLossRise = 0 } = rules.outer;
  const limit = maxLossRise || rules.mayRiseBy;
  const allowed = isFirst(before) && maxLossRise > 0 ? 0 : limit;
  const spoilt =
    isFirst(before) && window.validation.loss - before.validationLoss > (limit || Number.POSITIVE_INFINITY);
  if (isSound(window) && !spoilt && riseOf(rules, window, before) <= allowed) {
    const by = allowed === 0 ? '' : ` by more than ${Number(allowed.toPrecision(3))}`;
    const held = `${reason}; the validation loss did not rise${by}, so nothing is taken back`;
    const action = easesRates(rules, window, before) ? 'easeRates' : 'hold';
    return unlessDrifted({ action, reason: held }, rules, window, before);
  }
  if (canRetry) return wish;
  const isWorse = isFirst(before) || (limit > 0 && hasLost(window, before));
  if (canLowerRates && (isWorse || !isSound(window))) {
    return { action: 'lowerRates', reason, goesBack: true };
  }
  if (isSound(window)) return { action: 'hold', reason: `${reason}; there is nothing left to take back` };
  return { action: 'giveUp', reason: `${reason} at step ${window.stepsDone}` };
}

/**
 * Whether the rates of a window that diverges are pushed down. A loss that falls well is that of a network that leaves a plateau, where
 * hypergradients grow for a while; of one that a client does not report nothing is known.
 */
function easesRates(rules: Rules, window: WindowFindings, before: Before): boolean {
  const { maxLossRise = 0, normalize } = rules.outer;
  const mayEase = maxLossRise > 0 && normalize === true && before.canLowerRates && window.hasLoss;
  return mayEase && riseOf(rules, window, before) >= -FALLS * Math.abs(lossBefore(rules, before));
}

/** How much the validation loss rose, in nats, at the weights that hypergradients are taken at. */
const riseOf = (rules: Rules, window: WindowFindings, before: Before): number =>
  lossOf(rules, window) - lossBefore(rules, before);

/** The validation loss at the last boundary, in nats, at the weights that hypergradients are taken at. */
const lossBefore = ({ evaluation }: Rules, { validationLoss, averagedValidationLoss }: Before): number =>
  evaluation === EvaluationPoint.AVERAGED ? averagedValidationLoss : validationLoss;

/** The validation loss, in nats, at the weights that hypergradients are taken at. */
export const lossOf = (
  { evaluation }: Pick<Rules, 'evaluation'>,
  { validation, averagedValidation }: Pick<WindowFindings, 'validation' | 'averagedValidation'>,
): number => (evaluation === EvaluationPoint.AVERAGED ? averagedValidation : validation).loss;

/**
 * Whether the last weights lost in the window, too. An average that rises while they gain follows what they were before, and a
 * lower rate would only keep them there.
 */
const hasLost = ({ validation }: WindowFindings, { validationLoss }: Before): boolean =>
  validation.loss > validationLoss;

/** Nothing has been trained before it. */
const isFirst = ({ stepsDone }: Before): boolean => stepsDone === 0;

/** Whether losses and hypergradients of a window are finite numbers. */
export const isSound = ({ rows, trainLoss, validation }: WindowFindings): boolean =>
  rows.every(isFiniteRow) && Number.isFinite(trainLoss) && Number.isFinite(validation.loss);

/**
 * Applies the estimator's rule to a window.
 * @param rows at least one hypergradient.
 * @param report what the DMD service found; undefined when it gave none. Only GLOCAL uses it.
 * @param noReport why it gave none.
 */
export function suggest(
  estimator: Estimator,
  rows: Rows,
  report: WindowReport | undefined,
  noReport = 'the DMD service did not answer',
): Suggestion {
  if (!rows.every(isFiniteRow)) return { action: 'rollBack', reason: 'a hypergradient is not finite' };
  switch (estimator) {
    case Estimator.LOCAL:
      return uniform(lastRow(rows), Source.LOCAL, 'the estimator is LOCAL');
    case Estimator.GLOBAL:
      return uniform(
        lastRow(rows),
        Source.LOCAL,
        'the estimator is GLOBAL: one hypergradient of the whole training',
      );
    case Estimator.MEAN:
      return uniform(meanRow(rows), Source.MEAN, 'the estimator is MEAN');
    case Estimator.MEDIAN:
      return uniform(medianRow(rows), Source.MEDIAN, 'the estimator is MEDIAN');
    case Estimator.GLOCAL:
      return report === undefined
        ? { ...uniform(lastRow(rows), Source.LOCAL, noReport), fellBack: true }
        : glocal(rows, report);
    default:
      throw new RangeError(`estimator ${estimator} does not use windows`);
  }
}

function glocal(rows: Rows, report: WindowReport): Suggestion {
  const { verdict, verdictReason: reason } = report;
  switch (verdict) {
    case Verdict.DIVERGING:
      return { action: 'rollBack', reason };
    case Verdict.DEGENERATE:
      return { action: 'hold', reason };
    case Verdict.NO_STEADY_MODE:
    case Verdict.OSCILLATING:
      return uniform(meanRow(rows), Source.MEAN, reason);
    default:
      break;
  }
  const mean = meanRow(rows);
  const estimate = report.glocal === undefined ? mean : decodeRow(report.glocal);
  const hypergradient = mean.slice();
  const sources = new Array<Source>(mean.length).fill(Source.MEAN);
  for (let i = 0; i < mean.length; i++) {
    const value = estimate[i] as number;
    if (report.glocal === undefined || report.componentTrusted[i] !== true || !Number.isFinite(value))
      continue;
    hypergradient[i] = value;
    sources[i] = Source.GLOCAL;
  }
  return { action: 'move', hypergradient, sources, reason, fellBack: false };
}

function uniform(hypergradient: Float64Array, source: Source, reason: string): Move {
  const sources = new Array<Source>(hypergradient.length).fill(source);
  return { action: 'move', hypergradient, sources, reason, fellBack: false };
}
