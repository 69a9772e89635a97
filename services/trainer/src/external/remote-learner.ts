/** A training run somewhere else: the outer loop takes its windows as they are told. */

import type { Evaluation } from '@glocal/proto/glocal/v1/study';
import type { Learner, Snapshot } from '../loop/learner.ts';

/** The validation loss of which nothing is known: none is above it, so that nothing is taken back because of it. */
export const UNKNOWN_LOSS = Number.MAX_VALUE;

const elsewhere = (): never => {
  throw new TypeError('the client trains this window, not the service');
};
const NOTHING: Snapshot = { state: undefined };

/** Its weights are the client's to keep and to restore. */
export const REMOTE_LEARNER: Learner = {
  startWindow: elsewhere,
  plainStep: elsewhere,
  step: elsewhere,
  hypergradient: elsewhere,
  endWindow: elsewhere,
  takeTrainLoss: elsewhere,
  evaluate: (): Evaluation => ({ loss: UNKNOWN_LOSS, accuracy: 0, examples: 0 }),
  snapshot: () => NOTHING,
  restore: () => {},
};
