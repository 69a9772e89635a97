/** Plain steps that are only made to be timed: what a trial costs is measured in them (docs/method.md, section 12.3). */

import { Estimator, type Method } from '@glocal/proto/glocal/v1/study';
import type { Learner, Snapshot } from './learner.ts';
import type { Stopwatch } from './stopwatch.ts';

const MOST = 10;
/** Of all steps. */
const SHARE = 0.01;

/**
 * How many a trial makes. None where it has plain steps of its own: between windows, or all of them.
 * @param steps T.
 */
export function stepsToTime(
  { estimator, window, interval }: Pick<Method, 'estimator' | 'window' | 'interval'>,
  steps: number,
): number {
  const hasOwn = estimator === Estimator.FIXED || interval > window;
  return hasOwn ? 0 : Math.min(MOST, Math.floor(SHARE * steps));
}

/**
 * Makes them, and takes them back.
 * @param snapshot of the learner as it is.
 * @param point phi, one entry a component.
 */
export function timePlainSteps(
  learner: Learner,
  {
    count,
    snapshot,
    point,
  }: { readonly count: number; readonly snapshot: Snapshot; readonly point: Float64Array },
  watch: Stopwatch,
): void {
  if (count === 0) return;
  learner.startWindow(point);
  for (let step = 0; step < count; step++) watch.run('timed', () => learner.plainStep());
  learner.restore(snapshot);
}
