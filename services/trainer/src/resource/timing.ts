/** Where the time of a trial went, and what that is in plain runs (docs/method.md, section 12.3). */

import type { Timing } from '@glocal/proto/glocal/v1/study';
import { type Duration, duration, milliseconds } from './duration.ts';

/** Both together, part by part. */
export function addTimings(a: Timing, b: Timing): Timing {
  const sum = (part: (timing: Timing) => Duration | undefined) => {
    const parts = [part(a), part(b)].filter((time) => time !== undefined);
    return parts.length === 0 ? undefined : duration(parts.reduce((ms, time) => ms + milliseconds(time), 0));
  };
  return {
    training: sum(({ training }) => training),
    hypergradients: sum(({ hypergradients }) => hypergradients),
    dmd: sum(({ dmd }) => dmd),
    other: sum(({ other }) => other),
    decision: sum(({ decision }) => decision),
    checkpoint: sum(({ checkpoint }) => checkpoint),
    plain: sum(({ plain }) => plain),
    plainSteps: a.plainSteps + b.plainSteps,
  };
}

/**
 * What a trial cost in plain runs; 0 where no plain step was timed.
 * @param timing of all its outer steps.
 * @param steps inner steps that it has done.
 */
export function costOf({ training, hypergradients, dmd, plain, plainSteps }: Timing, steps: number): number {
  const ms = (time: Duration | undefined) => (time === undefined ? 0 : milliseconds(time));
  const plainRun = (ms(plain) / plainSteps) * steps;
  return plainRun > 0 ? (ms(training) + ms(hypergradients) + ms(dmd)) / plainRun : 0;
}
