/** Errors of automatic differentiation. */

/** Why a derivative could not be computed. */
export type DifferentiationReason =
  /** The loss is not a scalar of dtype float32. */
  | 'LOSS_NOT_SCALAR'
  /** The loss does not depend on any of the parameters. */
  | 'LOSS_INDEPENDENT'
  /** A parameter is not of dtype float32. */
  | 'PARAMETER_DTYPE'
  /** Tangents are missing, or their number, shape or dtype does not fit their primals. */
  | 'TANGENT_MISMATCH'
  /** A kernel has no JVP rule. */
  | 'MISSING_RULE'
  /** A tensor with a tangent reached a kernel that knows nothing of tangents. */
  | 'TANGENT_LOST'
  /** Another version of tfjs is loaded than the one whose internals are used. */
  | 'TFJS_VERSION';

/** A derivative could not be computed; the message says what was wrong, where, and what to do. */
export class DifferentiationError extends Error {
  override readonly name: string = 'DifferentiationError';
  readonly reason: DifferentiationReason;

  constructor(reason: DifferentiationReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** A kernel without a JVP rule met a tangent. Treating the tangent as zero would give wrong derivatives. */
export class MissingRuleError extends DifferentiationError {
  override readonly name = 'MissingRuleError';
  readonly kernel: string;

  constructor(kernel: string, detail = '') {
    super(
      'MISSING_RULE',
      `tfjs kernel ${kernel} has no forward-mode rule${detail && ` for ${detail}`}: write the model without it, ` +
        'or add a rule to ad/rules/',
    );
    this.kernel = kernel;
  }
}
