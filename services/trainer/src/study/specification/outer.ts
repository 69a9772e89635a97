/** The optimizer of the hyperparameters (docs/method.md, section 7). */

import { type Method, OuterSchedule, type Training } from '@glocal/proto/glocal/v1/study';
import type { CompleteMethod, CompleteOuterOptimizer } from '../../resource/complete-study.ts';
import { countUpdates } from '../../resource/windows.ts';
import type { Checker } from './checker.ts';
import { EXACT_OUTER, OUTER, type OuterDefaults, outerEpsilon, RATE_OF_WEIGHTS } from './defaults.ts';
import type { MethodWithoutRate } from './method.ts';

/** Its rate follows from the training ({@link withOuterRate}). */
export type OuterWithoutRate = Omit<CompleteOuterOptimizer, 'rate'> & { readonly rate: number | undefined };

/** @param isRiseTelling whether a rise of the validation loss says that a step went wrong. */
export function completeOuter(
  method: Pick<Method, 'outer' | 'cost'> | undefined,
  isRiseTelling: boolean,
  check: Checker,
): OuterWithoutRate {
  const { outer: requested } = method ?? {};
  const defaults = outerDefaults(method?.cost);
  const { rate, normalize = defaults.normalize } = requested ?? {};
  const { maxLossRise = isRiseTelling ? defaults.maxLossRise : 0 } = requested ?? {};
  const { beta1 = defaults.beta1, beta2 = defaults.beta2 } = requested ?? {};
  const { epsilon = outerEpsilon(normalize) } = requested ?? {};
  const schedule = requested?.schedule || defaults.schedule;
  const isPositive = (value: number) => value > 0 && Number.isFinite(value);
  if (rate !== undefined) {
    check.require(isPositive(rate), 'method.outer.rate', `${rate} is not a positive number`);
  }
  check.require(beta1 >= 0 && beta1 < 1, 'method.outer.beta1', `${beta1} is not in [0, 1)`);
  check.require(beta2 >= 0 && beta2 < 1, 'method.outer.beta2', `${beta2} is not in [0, 1)`);
  check.require(isPositive(epsilon), 'method.outer.epsilon', `${epsilon} is not a positive number`);
  check.oneOf(schedule, OuterSchedule, 'method.outer.schedule');
  check.require(
    maxLossRise === 0 || isPositive(maxLossRise),
    'method.outer.max_loss_rise',
    `${maxLossRise} is not a number of nats above 0, nor 0 for never`,
  );
  return { rate, beta1, beta2, epsilon, schedule, maxLossRise, normalize };
}

const outerDefaults = (cost: Method['cost']): OuterDefaults =>
  cost?.$case === 'exact' ? EXACT_OUTER : OUTER;

/**
 * The method with an outer rate that fits the number of updates, unless it has one.
 * @param weighs whether weights of classes or examples are moved.
 */
export function withOuterRate(
  method: MethodWithoutRate,
  training: Pick<Training, 'steps'>,
  weighs: boolean,
): CompleteMethod {
  const { rate: usual } = outerDefaults(method.cost);
  const most = weighs ? Math.min(usual, RATE_OF_WEIGHTS) : usual;
  const share = Math.min(1, Math.sqrt(40 / countUpdates(method, training)));
  const rate = method.outer.rate ?? most * share;
  return { ...method, outer: { ...method.outer, rate } };
}
