/** Data sets some of whose classes are thinned out. */

import type { Problem } from '@glocal/proto/glocal/v1/study';

/** Whether the training examples of a problem are imbalanced on purpose; a factor that is not set is 1. */
export const isImbalanced = (problem: Pick<Problem, 'imbalanceFactor'> | undefined): boolean =>
  imbalanceOf(problem) !== 1;

/**
 * By how much knowing nothing but how frequent the training classes are can raise the loss of balanced validation examples above that of
 * knowing nothing, in nats at most: −log of the rarest class's share, less the log of how many classes there are, is below this. 0 where
 * classes are balanced.
 */
export const riseByFrequencies = (problem: Pick<Problem, 'imbalanceFactor'> | undefined): number =>
  Math.log(imbalanceOf(problem));

const imbalanceOf = (problem: Pick<Problem, 'imbalanceFactor'> | undefined): number =>
  problem?.imbalanceFactor || 1;
