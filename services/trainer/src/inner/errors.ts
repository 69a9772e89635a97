/** Errors of inner training. */

/** What does not fit. */
export type InnerTrainingReason =
  /** A hyperparameter that the optimizer does not have, one learned twice, or a missing value. */
  | 'UNKNOWN_HYPERPARAMETER'
  /** A value outside the hyperparameter's domain. */
  | 'OUT_OF_DOMAIN'
  /** Another number of values than groups or network weights. */
  | 'WRONG_LENGTH'
  /** An option that does not go with another, or a call at the wrong time. */
  | 'UNSUPPORTED'
  /** Weights, a batch or a snapshot of another shape than the model's. */
  | 'SHAPE_MISMATCH';

/** An inner training run was asked for something that does not fit it; the message says what, and what would. */
export class InnerTrainingError extends RangeError {
  override readonly name = 'InnerTrainingError';
  readonly reason: InnerTrainingReason;

  constructor(reason: InnerTrainingReason, message: string) {
    super(message);
    this.reason = reason;
  }
}
