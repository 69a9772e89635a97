/** The ways to choose hyperparameters that experiments compare, each as the settings of a study. */

import {
  fixed,
  float,
  type Method,
  type Parameter,
  type ParameterMap,
  type Problem,
  type Space,
  scheduled,
  space,
} from '@glocal/sdk';
import type { Arm } from './experiment.ts';

/** Where tuned runs may go: from 100 times below the smallest start to 10 times above the largest. */
const RATES = { min: 1e-5, max: 10, scale: 'log' } as const;
/** A learning rate that is learned from each of the starts. */
export const learnedRate = (starts: readonly number[]) => float({ ...RATES, init: starts });

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

/** A space whose parameters the compiler does not have to know. */
export const spaceOf = (parameters: ParameterMap): Space<ParameterMap> => space(parameters);

/**
 * Rate, momentum or interpolation, and weight decay, from each of the starts of the rate: learned, or with the estimator FIXED
 * held there.
 */
export const startingFrom = (optimizer: Optimizer, starts: readonly number[]): Space<ParameterMap> =>
  spaceOf({
    lr: learnedRate(starts),
    ...each(SHARES[optimizer], (init) => float({ min: 0, max: 1, init })),
    weightDecay: float({ min: 0, max: 1, init: DECAY }),
  });

/** A linear rise over the first twentieth, then half a cosine to 0. */
export const cosine = (peak: number, steps: number): Space<ParameterMap> =>
  spaceOf({
    lr: scheduled({ cosine: { peak, warmupSteps: steps / 20 } }),
    momentum: fixed(MOMENTUM),
    weightDecay: fixed(DECAY),
  });

/** Constant, and down over the last fifth as 1 minus the root of the share of it that is done. */
export const cooldown = (value: number): Space<ParameterMap> =>
  spaceOf({
    lr: scheduled({ cooldown: { value } }),
    momentum: fixed(MOMENTUM),
    weightDecay: fixed(DECAY),
  });

/** As {@link startingFrom} for Schedule-Free SGD, with the average's weights of the paper, which do not grow with the step. */
export const asPublished = (starts: readonly number[]): Space<ParameterMap> =>
  spaceOf({ ...startingFrom('schedule-free', starts).parameters, power: fixed(0) });

/** The multiplier of Prodigy's estimate: a linear rise to 1, then half a cosine to 0. */
export const prodigyCosine = (steps: number): Space<ParameterMap> =>
  spaceOf({ lr: scheduled({ cosine: { peak: 1, warmupSteps: steps / 20 } }), weightDecay: fixed(DECAY) });

/** What is trained, with how many steps. */
export interface Task {
  /** Title of its table. */
  readonly table: string;
  readonly problem: Omit<Problem, 'optimizer'>;
  readonly steps: number;
}

/** Parameters that all controls of a task have in addition, and what their titles end with. */
export interface Besides {
  readonly title: string;
  readonly parameters: Readonly<Record<string, Parameter>>;
}

/** A row of a task's table, or, with a `start`, one cell of it. */
export interface Row extends Pick<Arm, 'title' | 'readout' | 'start' | 'grid' | 'seeds'> {
  /** Rows of a task that share it, and their settings, are one training. @default the title */
  readonly training?: string;
  readonly optimizer: Problem['optimizer'];
  readonly space: Space<ParameterMap>;
  readonly method: Method;
}

export function armOf(
  { table, problem, steps }: Task,
  { optimizer, space, method, training, ...row }: Row,
): Arm {
  const named = (title: string) => `${table}: ${title}${row.start === undefined ? '' : ` ${row.start}`}`;
  return {
    ...row,
    id: named(row.title),
    ...(training !== undefined && { training: named(training) }),
    table,
    spec: { space, problem: { ...problem, optimizer }, training: { steps }, method },
  };
}

/** Nothing moves; figures are taken ten times. */
export const held = ({ steps }: Pick<Task, 'steps'>): Method => ({
  estimator: 'fixed',
  window: Math.max(1, Math.floor(steps / 10)),
});
