/** Errors of models: one that does not exist, does not fit the data, or whose files are not what they should be. */

/** What is wrong. */
export type ModelReason =
  /** There is no model with this id. */
  | 'UNKNOWN_MODEL'
  /** The model cannot be built for examples of this shape, or for this number of classes. */
  | 'UNSUITABLE'
  /** A folder or file of a model is missing or cannot be read. */
  | 'UNREADABLE'
  /** `model.json` is not a tfjs LayersModel, or its layers do not fit together. */
  | 'FORMAT'
  /** A layer that cannot be used: tfjs has none of that name, or computes it otherwise than Keras. */
  | 'UNKNOWN_LAYER'
  /** A layer has an option, or gets a mask, that is not implemented for it. */
  | 'OPTION'
  /** Weights that are too many, too few, of another shape or dtype than the layers have, or not finite. */
  | 'WEIGHTS'
  /** The model has not one input and one output with a number for each class, or nothing to train. */
  | 'NOT_A_CLASSIFIER'
  /** The model, or its gradient, calls a tfjs kernel that cannot be differentiated. */
  | 'NOT_DIFFERENTIABLE';

/** A model cannot be used. The message says what was found, where, and what to do. */
export class ModelError extends RangeError {
  override readonly name = 'ModelError';
  readonly reason: ModelReason;

  constructor(reason: ModelReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
