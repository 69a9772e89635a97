/** The ways to estimate where a window's hypergradient is heading, in the same outer loop. */

import type { DmdOptions, EvaluationPoint, Method, OuterOptimizer } from '@glocal/sdk';

/** What the paper's outer loop has: windows in a row and Adam as published. */
export interface PaperLoop {
  /** Inner steps of a window; the paper's are 50. */
  readonly window: number;
  /** Hypergradients of a window; the paper takes 20. */
  readonly sigma: number;
  /** Hypergradients stacked in one observable; the paper's are 10. */
  readonly delays: number;
  /** Of Adam; the paper's is .1 for MNIST and its like, .01 for CIFAR. Without it the trainer's formula for the number of updates. */
  readonly rate?: number;
  /** Validation examples of a hypergradient; the paper takes all. */
  readonly validationSample?: number;
}

/** As in the paper. */
export const PAPER: PaperLoop = { window: 50, sigma: 20, delays: 10, rate: 0.1 };

/** Adam as published. */
const published = (rate: number | undefined): OuterOptimizer => ({
  ...(rate !== undefined && { rate }),
  ...{ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, schedule: 'constant', maxLossRise: 0, normalize: false },
});

/** The paper's loop with another estimator, or at other weights. */
export function paperMethod(
  { window, sigma, rate, validationSample = 0 }: PaperLoop,
  estimator: Method['estimator'],
  evaluation: EvaluationPoint,
  dmd?: DmdOptions,
): Method {
  const loop = { window, evaluation, validationSample, outer: published(rate) };
  const rows = ['mean', 'median', 'glocal'].includes(estimator) ? { sigma } : {};
  return { estimator, ...loop, ...rows, ...(dmd !== undefined && { dmd }) };
}

/** The paper's decomposition. */
export const hankel = ({ delays }: Pick<PaperLoop, 'delays'>): DmdOptions => ({
  ...{ variant: 'hankel', delays, scaling: 'none', svdRank: -1, tolerance: 0.1 },
});

/** One estimator of one loop. */
export interface Estimated {
  readonly title: string;
  readonly method: Method;
  readonly evaluation: EvaluationPoint;
}

/** All of them at some weights, and the control without second derivatives. */
export function estimators(loop: PaperLoop, evaluation: EvaluationPoint): Estimated[] {
  const where = evaluation === 'averaged' ? ', averaged weights' : '';
  const methods: readonly (readonly [string, Method])[] = [
    ['LOCAL', paperMethod(loop, 'local', evaluation)],
    ['MEAN', paperMethod(loop, 'mean', evaluation)],
    ['MEDIAN', paperMethod(loop, 'median', evaluation)],
    ["GLOCAL, the paper's HANKEL", paperMethod(loop, 'glocal', evaluation, hankel(loop))],
    ['GLOCAL, AFFINE', paperMethod(loop, 'glocal', evaluation, { variant: 'affine' })],
    ['LOCAL without second derivatives', { ...paperMethod(loop, 'local', evaluation), tangentExamples: 0 }],
  ];
  return methods.map(([title, method]) => ({ title: `${title}${where}`, method, evaluation }));
}
