/** What the outer loop needs of a training run. `worker/learner.ts` implements it with tfjs. */

import type { Evaluation } from '@glocal/proto/glocal/v1/study';

/** State of a run at an outer-step boundary, on the host: weights, optimizer buffers, position in the data. */
export interface Snapshot {
  readonly state: unknown;
}

export interface Learner {
  /** Sets the point phi (one entry a learned hyperparameter, unconstrained) and forgets the sensitivity Z. */
  startWindow(point: Float64Array): void;
  /** One inner step on the next mini-batch, with its tangents if anything is learned. */
  step(): void;
  /** Local hypergradient dL/dphi of the whole validation loss at the present weights (Eq. 18). */
  hypergradient(): Float64Array;
  /** Mean training loss since it was last taken, in nats. */
  takeTrainLoss(): number;
  evaluate(part: 'validation' | 'test'): Evaluation;
  snapshot(): Snapshot;
  restore(snapshot: Snapshot): void;
}
