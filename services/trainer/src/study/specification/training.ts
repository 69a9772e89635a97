/** For how long to train, and with which seeds. */

import { Estimator, type Method, type Training } from '@glocal/proto/glocal/v1/study';
import type { Limits } from '@glocal/proto/glocal/v1/study_service';
import type { Checker } from './checker.ts';
import { SEEDS } from './defaults.ts';

const MAX_SEEDS = 64;
/** Steps are counted in 32 bits. */
const MAX_STEPS_IN_ALL = 2 ** 31 - 1;

export function completeTraining(
  requested: Training | undefined,
  method: Pick<Method, 'window' | 'trainings'>,
  limits: Pick<Limits, 'maxSteps'>,
  check: Checker,
): Training {
  const steps = requested?.steps ?? 0;
  if (check.require(steps >= 1, 'training.steps', `${steps} is not a positive number of steps`)) {
    check.require(
      steps <= limits.maxSteps,
      'training.steps',
      `${steps} is above this server's limit, ${limits.maxSteps}`,
    );
    const inAll = steps * Math.max(1, method.trainings);
    check.require(
      inAll <= MAX_STEPS_IN_ALL,
      'training.steps',
      `${steps} x method.trainings = ${method.trainings} are ${inAll} steps; a trial has at most ${MAX_STEPS_IN_ALL}`,
    );
  }
  const seeds = requested?.seeds.length ? requested.seeds : [...SEEDS];
  if (
    check.require(
      seeds.length <= MAX_SEEDS,
      'training.seeds',
      `${seeds.length} seeds are more than the ${MAX_SEEDS} that a study may have`,
    )
  ) {
    check.require(new Set(seeds).size === seeds.length, 'training.seeds', 'a seed is repeated');
  }
  return { steps, seeds };
}

/** Checks that windows in a row make up the training, and that there is room for one elsewhere. */
export function checkWholeWindows(
  steps: number,
  {
    estimator,
    window,
    interval,
    warmupWindowSteps,
  }: Pick<Method, 'estimator' | 'window' | 'interval' | 'warmupWindowSteps'>,
  check: Checker,
): void {
  if (steps < 1 || window < 1 || estimator === Estimator.GLOBAL) return;
  if (interval > window || warmupWindowSteps < window) {
    check.require(steps >= window, 'training.steps', `${steps} is below method.window = ${window}`);
  } else {
    const whole = Math.max(1, Math.round(steps / window)) * window;
    check.require(
      steps % window === 0,
      'training.steps',
      `${steps} is not a multiple of method.window = ${window}; ${whole} is`,
    );
  }
}
