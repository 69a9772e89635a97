/** The ways to choose hyperparameters that experiments compare, each as the settings of a study. */

import { fixed, float, type ParameterMap, type Space, scheduled, space } from '@glocal/sdk';

/** Where tuned runs may go: from 100 times below the smallest start to 10 times above the largest. */
const RATES = { min: 1e-5, max: 10, scale: 'log' } as const;
const DECAY = 1e-3;
const MOMENTUM = 0.1;
const INTERPOLATION = 0.9;

export type Optimizer = 'sgd' | 'schedule-free' | 'adamw' | 'schedule-free-adamw';

/** What an optimizer has beside rate and decay, learned from its usual value. */
const SHARES: Readonly<Record<Optimizer, Readonly<Record<string, number>>>> = {
  sgd: { momentum: MOMENTUM },
  'schedule-free': { beta: INTERPOLATION },
  adamw: { beta1: 0.9 },
  'schedule-free-adamw': { beta: INTERPOLATION },
};

const each = <T>(record: Readonly<Record<string, number>>, make: (value: number) => T): Record<string, T> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, make(value)]));

/**
 * Rate, momentum or interpolation, and weight decay, from each of the starts of the rate: learned, or with the estimator FIXED
 * held there.
 */
export const startingFrom = (optimizer: Optimizer, starts: readonly number[]): Space<ParameterMap> =>
  space({
    lr: float({ ...RATES, init: starts }),
    ...each(SHARES[optimizer], (init) => float({ min: 0, max: 1, init })),
    weightDecay: float({ min: 0, max: 1, init: DECAY }),
  }) as Space<ParameterMap>;

/** A linear rise over the first twentieth, then half a cosine to 0. */
export const cosine = (peak: number, steps: number): Space<ParameterMap> =>
  space({
    lr: scheduled({ cosine: { peak, warmupSteps: steps / 20 } }),
    momentum: fixed(MOMENTUM),
    weightDecay: fixed(DECAY),
  }) as Space<ParameterMap>;
