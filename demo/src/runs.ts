/** The runs that the demo can compare: the same training, with hyperparameters moved in one way or another. */

import type { Method } from '@glocal/sdk';

/** Inner steps of one outer step; the number of steps is a multiple of it. */
export const WINDOW = 50;
/** The disc around eigenvalue 1 in which a mode counts as steady. */
export const TOLERANCE = 0.1;

/** One way to move the hyperparameters. */
export interface RunKind {
  /** What `--runs` calls it. */
  readonly id: string;
  /** How tables and pictures call it. */
  readonly title: string;
  /** For `--help`. */
  readonly description: string;
  readonly method: Method;
}

const paper = { window: WINDOW, sigma: 20, evaluation: 'last_iterate' } as const;

export const RUN_KINDS: readonly RunKind[] = [
  {
    id: 'fixed',
    title: 'FIXED',
    description: 'they stay where they start',
    method: { ...paper, estimator: 'fixed' },
  },
  {
    id: 'local',
    title: 'LOCAL',
    description: 'by the last hypergradient of a window',
    method: { ...paper, estimator: 'local' },
  },
  {
    id: 'mean',
    title: 'MEAN',
    description: "by the mean of a window's hypergradients",
    method: { ...paper, estimator: 'mean' },
  },
  {
    id: 'median',
    title: 'MEDIAN',
    description: 'by their median',
    method: { ...paper, estimator: 'median' },
  },
  {
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
    id: 'averaged',
    title: 'GLOCAL AVG',
    description: 'by glocal hypergradients at the averaged weights, every third step',
    method: {
      window: WINDOW,
      stride: 3,
      evaluation: 'averaged',
      estimator: 'glocal',
      dmd: { variant: 'affine', tolerance: TOLERANCE },
    },
  },
];

export const DEFAULT_RUNS: readonly RunKind[] = RUN_KINDS.filter(({ id }) =>
  ['fixed', 'glocal', 'averaged'].includes(id),
);
