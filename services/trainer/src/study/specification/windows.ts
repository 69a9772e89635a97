/** Where the windows of a training lie (docs/method.md, section 12.2). */

import { Estimator, type Method, type Training } from '@glocal/proto/glocal/v1/study';
import { enumName } from '../../resource/enum-name.ts';
import type { WindowPattern } from '../../resource/windows.ts';
import type { Checker } from './checker.ts';
import { METHOD } from './defaults.ts';

/** What a pattern is checked against: complete, but for the steps, which are as they were asked for. */
type PatternContext = Pick<Method, 'estimator' | 'window'> & Pick<Training, 'steps'>;

/** Completes where the windows lie that follow the first one. */
export function completePattern(
  requested: Method | undefined,
  context: PatternContext,
  check: Checker,
): Omit<WindowPattern, 'window'> {
  const { estimator, window } = context;
  const interval = requested?.interval || window;
  const warmupWindows = requested?.warmupWindows || METHOD.warmupWindows;
  const warmupWindowSteps = requested?.warmupWindowSteps || Math.max(1, window);
  if (estimator === Estimator.GLOBAL || estimator === Estimator.FIXED) {
    const why = `is not for ${enumName(Estimator, estimator)}, which has no windows to lay; leave it out`;
    check.require(interval === window, 'method.interval', why);
    check.require(warmupWindows === METHOD.warmupWindows, 'method.warmup_windows', why);
    check.require(warmupWindowSteps === Math.max(1, window), 'method.warmup_window_steps', why);
  } else {
    checkInterval(interval, context, requested?.sensitivityDiscount ?? 0, check);
    checkWarmup({ warmupWindows, warmupWindowSteps }, context, check);
  }
  return { interval, warmupWindows, warmupWindowSteps };
}

function checkInterval(
  interval: number,
  { window, steps }: PatternContext,
  sensitivityDiscount: number,
  check: Checker,
): void {
  const field = 'method.interval';
  if (!check.require(interval >= window, field, `${interval} is below method.window = ${window}`)) return;
  // A training that is shorter than a window has that fault alone.
  const fits = steps < window || interval <= steps;
  check.require(fits, field, `${interval} is above training.steps = ${steps}`);
  check.require(
    sensitivityDiscount === 0 || interval === window,
    field,
    `${interval} leaves plain steps between windows of ${window}, and method.sensitivity_discount = ${sensitivityDiscount} would keep sensitivities that these have not`,
  );
}

function checkWarmup(
  { warmupWindows, warmupWindowSteps }: Pick<WindowPattern, 'warmupWindows' | 'warmupWindowSteps'>,
  { window, steps }: PatternContext,
  check: Checker,
): void {
  check.require(
    warmupWindowSteps >= 1 && warmupWindowSteps <= Math.max(1, window),
    'method.warmup_window_steps',
    `${warmupWindowSteps} is not a number of steps from 1 to method.window = ${window}`,
  );
  const most = Math.max(1, Math.floor(steps / Math.max(1, warmupWindowSteps)));
  check.require(
    warmupWindows >= 1 && warmupWindows <= most,
    'method.warmup_windows',
    `${warmupWindows} is not a number of windows from 1 to ${most}, which training.steps = ${steps} has room for`,
  );
}
