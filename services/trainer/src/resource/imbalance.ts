/** Data sets some of whose classes are thinned out. */

import type { Problem } from '@glocal/proto/glocal/v1/study';

/** Whether the training examples of a problem are imbalanced on purpose; a factor that is not set is 1. */
export const isImbalanced = (problem: Pick<Problem, 'imbalanceFactor'> | undefined): boolean =>
  (problem?.imbalanceFactor || 1) !== 1;
