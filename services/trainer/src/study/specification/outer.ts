/** The optimizer of the hyperparameters (docs/method.md, section 7). */

import { type OuterOptimizer, OuterSchedule, type Training } from '@glocal/proto/glocal/v1/study';
import type { CompleteMethod, CompleteOuterOptimizer } from '../../resource/complete-study.ts';
import { countUpdates } from '../../resource/windows.ts';
import type { Checker } from './checker.ts';
import { OUTER, outerRate } from './defaults.ts';
import type { MethodWithoutRate } from './method.ts';

/** Its rate follows from the training ({@link withOuterRate}). */
export type OuterWithoutRate = Omit<CompleteOuterOptimizer, 'rate'> & { readonly rate: number | undefined };

export function completeOuter(requested: OuterOptimizer | undefined, check: Checker): OuterWithoutRate {
  const { rate, maxLossRise = OUTER.maxLossRise, normalize = OUTER.normalize } = requested ?? {};
  const { beta1 = OUTER.beta1, beta2 = OUTER.beta2, epsilon = OUTER.epsilon } = requested ?? {};
  const schedule = requested?.schedule || OUTER.schedule;
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

/** The method with an outer rate that fits the number of updates, unless it has one. */
export function withOuterRate(method: MethodWithoutRate, training: Pick<Training, 'steps'>): CompleteMethod {
  const rate = method.outer.rate ?? outerRate(countUpdates(method, training));
  return { ...method, outer: { ...method.outer, rate } };
}
