/** A learning-rate range test (Smith, 2017, arXiv 1506.01186): a short run whose rate rises exponentially, and the rate that it picks. */

import { type OuterStep, scheduled } from '@glocal/sdk';
import { armOf, type Besides, spaceOf, type Task } from './arms.ts';
import type { Lab } from './experiment.ts';
import { isOutcome } from './outcome.ts';

/** Rates that are gone through. */
const LOWEST = 1e-5;
const HIGHEST = 10;
/** Inner steps in which it rises, and of each loss that is looked at. */
const STEPS = 200;
const WINDOW = 5;
/** Share of the smoothed loss that is kept from one to the next. */
const SMOOTHING = 0.8;
/** The run has diverged where the smoothed loss is that many times the lowest before. */
const DIVERGED = 4;
/** Points of the schedule, between which it is a straight line. */
const POINTS = 100;

/** The training loss at a rate. */
export interface RangePoint {
  readonly rate: number;
  readonly loss: number;
}

/** What a range test costs, in runs of the task. */
export const rangeTestCost = ({ steps }: Pick<Task, 'steps'>): number => STEPS / steps;

/** The rate after a share of the test. */
const rateAt = (share: number): number => LOWEST * (HIGHEST / LOWEST) ** share;

/** Runs it with SGD and seed 0, or finds it. @returns no rate where none moved the loss, or where the test failed */
export async function rangeTest(lab: Lab, task: Task, besides: Besides): Promise<number | undefined> {
  const points = Array.from({ length: POINTS }, (_, i) => ({
    step: Math.floor((i * (STEPS - 1)) / (POINTS - 1)),
    value: rateAt(i / (POINTS - 1)),
  }));
  const arm = armOf(
    { ...task, table: `${task.table}: range tests`, steps: STEPS },
    {
      ...{ title: `range test${besides.title}`, optimizer: 'sgd', readout: 'last', seeds: 1 },
      space: spaceOf({ ...besides.parameters, lr: scheduled({ points }) }),
      method: { estimator: 'fixed', window: WINDOW },
    },
  );
  const [finished] = await lab.run([arm]);
  const [outcome] = finished?.trials ?? [];
  // Of one that was cut short the next run has the rest, and might pick another rate.
  if (finished === undefined || outcome === undefined || !isOutcome(outcome)) return undefined;
  const study = await lab.client.studies.get(finished.study, { signal: lab.signal });
  const { trial } = outcome;
  const steps: OuterStep[] = await Array.fromAsync(study.outerSteps({ trial, signal: lab.signal }));
  const losses = steps.map(({ step, trainLoss }) => ({
    rate: rateAt((step - WINDOW / 2) / STEPS),
    loss: trainLoss,
  }));
  return pickRate(losses);
}

/**
 * The rate at which the smoothed loss falls most steeply with the logarithm of the rate, before it diverges; none where it falls nowhere.
 * @param points in the order of rising rates, equally far apart on a log scale.
 */
export function pickRate(points: readonly RangePoint[]): number | undefined {
  let smoothed: number | undefined;
  let lowest = Number.POSITIVE_INFINITY;
  let best: { rate: number; fall: number } | undefined;
  for (const { rate, loss } of points) {
    const before = smoothed;
    smoothed = before === undefined ? loss : SMOOTHING * before + (1 - SMOOTHING) * loss;
    if (!(smoothed < DIVERGED * lowest)) break;
    lowest = Math.min(lowest, smoothed);
    const fall = before === undefined ? 0 : before - smoothed;
    if (fall > (best?.fall ?? 0)) best = { rate, fall };
  }
  return best?.rate;
}
