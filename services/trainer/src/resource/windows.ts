/** Where a training's windows lie (docs/method.md, section 12.2): the one place that counts them. */

import type { Method, Training } from '@glocal/proto/glocal/v1/study';

/** What says where windows lie. */
export type WindowPattern = Pick<Method, 'window' | 'interval' | 'warmupWindows' | 'warmupWindowSteps'>;

/** An outer step, in inner steps: plain ones, then those of its window. */
export interface OuterStepShape {
  readonly plainSteps: number;
  /** 0 for what is left of the training after its last window. */
  readonly windowSteps: number;
}

/**
 * Windows of a training: W of them in a row, which end at ω, 2ω, …, Wω, then those that end at Wω + kI, as many as fit.
 * @param steps T.
 */
export const countWindows = (pattern: WindowPattern, steps: number): number =>
  countWarmupWindows(pattern, steps) + countSpreadWindows(pattern, steps);

/** Those of them that come in a row at first. */
export const countWarmupWindows = (
  { warmupWindows, warmupWindowSteps }: Pick<WindowPattern, 'warmupWindows' | 'warmupWindowSteps'>,
  steps: number,
): number => Math.min(warmupWindows, Math.floor(steps / warmupWindowSteps));

/** The others. */
const countSpreadWindows = ({ interval, warmupWindows, warmupWindowSteps }: WindowPattern, steps: number) =>
  Math.max(0, Math.floor((steps - warmupWindows * warmupWindowSteps) / interval));

/**
 * The outer step that begins at a boundary.
 * @param stepsDone inner steps done there: 0, or where a window ended; below `steps`.
 * @param steps T.
 */
export function outerStepFrom(
  { window, interval, warmupWindows, warmupWindowSteps }: WindowPattern,
  stepsDone: number,
  steps: number,
): OuterStepShape {
  const isWarmup = stepsDone < warmupWindows * warmupWindowSteps;
  const windowSteps = isWarmup ? warmupWindowSteps : window;
  const outerSteps = isWarmup ? warmupWindowSteps : interval;
  return stepsDone + outerSteps > steps
    ? { plainSteps: steps - stepsDone, windowSteps: 0 }
    : { plainSteps: outerSteps - windowSteps, windowSteps };
}

/** S: the updates that a trial is to have, one after each window; those that are made again do not count. */
export const countUpdates = (
  method: WindowPattern & Pick<Method, 'trainings'>,
  { steps }: Pick<Training, 'steps'>,
): number => method.trainings || countWindows(method, steps);
