/** What the outer loop needs of a training run. `worker/learner.ts` implements it with tfjs. */

import type { Evaluation } from '@glocal/proto/glocal/v1/study';
import type { EvaluationPoint } from '../inner/training-run.ts';

/** State of a run at an outer-step boundary, on the host: weights, optimizer buffers, position in the data. */
export interface Snapshot {
  /** Plain data: objects, arrays, arrays of numbers, numbers. */
  readonly state: unknown;
}

export interface Learner {
  /**
   * Sets the point phi of an outer step (one entry a learned value, unconstrained); the sensitivity Z starts again, or what is
   * kept of it.
   */
  startWindow(point: Float64Array): void;
  /** One inner step on the next mini-batch before the window, which has no tangents and which hypergradients take as given. */
  plainStep(): void;
  /** One inner step on the next mini-batch, with its tangents if anything is learned. */
  step(): void;
  /**
   * Asks for the local hypergradient dL/dphi of the validation loss at the present weights (Eq. 18).
   * @returns it, or undefined when it comes with {@link endWindow}.
   */
  hypergradient(): Float64Array | undefined;
  /** The hypergradients of this window that were asked for and have not been returned, oldest first. */
  endWindow(): readonly Float64Array[];
  /** Mean training loss since it was last taken, in nats. */
  takeTrainLoss(): number;
  evaluate(part: 'validation' | 'test', at: EvaluationPoint): Evaluation;
  snapshot(): Snapshot;
  restore(snapshot: Snapshot): void;
}
