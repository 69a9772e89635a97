/** Where a training's windows lie (docs/method.md, section 12.2): the one place that counts them. */

import type { Method, Training } from '@glocal/proto/glocal/v1/study';

/** What says where windows lie. */
export type WindowPattern = Pick<Method, 'window' | 'interval' | 'warmupWindows'>;

/** An outer step, in inner steps: plain ones, then those of its window. */
export interface OuterStepShape {
  readonly plainSteps: number;
  /** 0 for what is left of the training after its last window. */
  readonly windowSteps: number;
}

/**
 * Windows of a training: W of them in a row, which end at τ, 2τ, …, Wτ, then those that end at Wτ + kI, as many as fit.
 * @param steps T.
 */
export function countWindows({ window, interval, warmupWindows }: WindowPattern, steps: number): number {
  const rest = steps - warmupWindows * window;
  return rest < 0 ? Math.floor(steps / window) : warmupWindows + Math.floor(rest / interval);
}

/**
 * The outer step that begins at a boundary.
 * @param stepsDone inner steps done there: 0, or where a window ended; below `steps`.
 * @param steps T.
 */
export function outerStepFrom(
  { window, interval, warmupWindows }: WindowPattern,
  stepsDone: number,
  steps: number,
): OuterStepShape {
  const end = stepsDone + (stepsDone < warmupWindows * window ? window : interval);
  return end > steps
    ? { plainSteps: steps - stepsDone, windowSteps: 0 }
    : { plainSteps: end - stepsDone - window, windowSteps: window };
}

/** S: the updates that a trial is to have, one after each window; those that are made again do not count. */
export const countUpdates = (
  method: WindowPattern & Pick<Method, 'trainings'>,
  { steps }: Pick<Training, 'steps'>,
): number => method.trainings || countWindows(method, steps);
