/** The runs that the demo can compare: the same network and images, with hyperparameters chosen in one way or another. */

import {
  type EvaluationPoint,
  fixed,
  float,
  type Method,
  type ParameterMap,
  type Space,
  scheduled,
  space,
} from '@glocal/sdk';

/** Inner steps of one outer step; the number of steps is a multiple of it. */
export const WINDOW = 50;
/** The disc around eigenvalue 1 in which a mode counts as steady. */
export const TOLERANCE = 0.1;

const RATE = 0.01;
const MOMENTUM = 0.1;
const DECAY = 1e-3;
/** The highest rate of the cosine: one that somebody has found. */
const PEAK = 0.2;

/** One way to choose the hyperparameters. */
export interface RunKind {
  /** What `--runs` calls it. */
  readonly id: string;
  /** How tables and pictures call it. */
  readonly title: string;
  /** For `--help`. */
  readonly description: string;
  readonly optimizer: 'sgd' | 'schedule-free';
  /** @param steps of the run. */
  readonly space: (steps: number) => Space<ParameterMap>;
  readonly method: Method;
  /** Whose figures say how good it is: a Schedule-Free optimizer trains its average alone. */
  readonly weights: EvaluationPoint;
}

const learned = (share: Readonly<Record<string, number>>): Space<ParameterMap> =>
  space({
    lr: float({ min: 1e-4, max: 1, init: RATE, scale: 'log' }),
    ...Object.fromEntries(
      Object.entries(share).map(([name, init]) => [name, float({ min: 0, max: 1, init })]),
    ),
    weightDecay: float({ min: 0, max: 1, init: DECAY }),
  }) as Space<ParameterMap>;

const sgd = {
  optimizer: 'sgd',
  space: () => learned({ momentum: MOMENTUM }),
  weights: 'last_iterate',
} as const;
/** As in the paper: every hypergradient, of every window, at the last weights. */
const paper = { overhead: 'exact', window: WINDOW, sigma: 20, evaluation: 'last_iterate' } as const;

export const RUN_KINDS: readonly RunKind[] = [
  {
    ...sgd,
    id: 'fixed',
    title: 'FIXED',
    description: 'they stay where they start',
    method: { window: WINDOW, estimator: 'fixed' },
  },
  {
    ...sgd,
    id: 'local',
    title: 'LOCAL',
    description: 'by the last hypergradient of a window',
    method: { ...paper, estimator: 'local' },
  },
  {
    ...sgd,
    id: 'mean',
    title: 'MEAN',
    description: "by the mean of a window's hypergradients",
    method: { ...paper, estimator: 'mean' },
  },
  {
    ...sgd,
    id: 'median',
    title: 'MEDIAN',
    description: 'by their median',
    method: { ...paper, estimator: 'median' },
  },
  {
    ...sgd,
    id: 'glocal',
    title: 'GLOCAL',
    description: 'by glocal hypergradients, as in the paper',
    method: {
      ...paper,
      estimator: 'glocal',
      dmd: { variant: 'hankel', delays: 10, tolerance: TOLERANCE },
    },
  },
  {
    ...sgd,
    id: 'cosine',
    title: 'COSINE',
    description: `the learning rate falls from ${PEAK} as half a cosine, after a linear rise over a twentieth of the steps`,
    space: (steps) =>
      space({
        lr: scheduled({ cosine: { peak: PEAK, warmupSteps: Math.round(steps / 20) } }),
        momentum: fixed(MOMENTUM),
        weightDecay: fixed(DECAY),
      }) as Space<ParameterMap>,
    method: { window: WINDOW, estimator: 'fixed' },
  },
  {
    id: 'default',
    title: 'DEFAULT',
    description: 'Schedule-Free SGD, by glocal hypergradients with the default settings',
    optimizer: 'schedule-free',
    space: () => learned({ beta: 0.9 }),
    method: { estimator: 'glocal' },
    weights: 'averaged',
  },
];

export const DEFAULT_RUNS: readonly RunKind[] = RUN_KINDS.filter(({ id }) =>
  ['fixed', 'glocal', 'cosine', 'default'].includes(id),
);
