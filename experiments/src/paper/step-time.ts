/** What an inner step takes, by what the trainer measured. */

import type { OuterStep } from '@glocal/sdk';

/** Milliseconds for each inner step. */
export interface StepTime {
  readonly training: number;
  readonly hypergradients: number;
  /** Waiting for the DMD service. */
  readonly dmd: number;
}

export const total = (time: StepTime | undefined): number =>
  time === undefined ? Number.NaN : time.training + time.hypergradients + time.dmd;

type Timed = Pick<OuterStep, 'step' | 'timing' | 'window' | 'index' | 'trial'>;

/**
 * Of the outer step whose time for each inner step is the median; with `sparse` windows, between which steps are plain, the mean.
 * @param steps of one or several trials, each in order; the first of a trial has been left out.
 * @returns undefined when there are none.
 */
export function perStep(steps: readonly Timed[], sparse = false): StepTime | undefined {
  const lengths = lengthsOf(steps);
  const times = steps.map(({ timing }, i): StepTime => {
    const length = lengths[i] ?? 1;
    const { training, hypergradients, dmd } = timing;
    return { training: training / length, hypergradients: hypergradients / length, dmd: dmd / length };
  });
  if (sparse) return meanOf(times, lengths);
  const sorted = times.toSorted((a, b) => total(a) - total(b));
  return sorted[Math.floor((sorted.length - 1) / 2)];
}

/** Inner steps of each, from where the one before ended. */
function lengthsOf(steps: readonly Timed[]): number[] {
  return steps.map(({ step, trial, index }, i) => {
    const before = steps[i - 1];
    if (before?.trial === trial && before.step < step) return step - before.step;
    // The first that is left of a trial: as long as all before it together were, evenly.
    return step / index;
  });
}

function meanOf(times: readonly StepTime[], lengths: readonly number[]): StepTime | undefined {
  const steps = lengths.reduce((sum, length) => sum + length, 0);
  if (steps === 0) return undefined;
  const mean = (part: keyof StepTime): number =>
    times.reduce((sum, time, i) => sum + time[part] * (lengths[i] ?? 0), 0) / steps;
  return { training: mean('training'), hypergradients: mean('hypergradients'), dmd: mean('dmd') };
}
