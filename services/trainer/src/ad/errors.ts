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
  /** Where the model calls the kernel, `file:line:column`; undefined when one of tfjs's gradients calls it. */
  readonly location: string | undefined;

  constructor(kernel: string, detail = '') {
    const location = callingLine();
    super(
      'MISSING_RULE',
      `tfjs kernel ${kernel}, called ${location ? `at ${location}` : 'by the gradient of a kernel of the model'}, has no ` +
        `forward-mode rule${detail && ` for ${detail}`}: write the model without it, or add a rule to ad/rules/`,
    );
    this.kernel = kernel;
    this.location = location;
  }
}

/** Whether a frame is of the files through which every kernel call passes: tfjs, and those in this folder. */
const isMachinery = (frame: string): boolean =>
  /node_modules|node:/.test(frame) || (frame.includes(import.meta.dirname) && !frame.includes('.test.'));
/** Function of tfjs that walks back through the gradients. */
const BACKWARD = /backpropagateGradients/;

/** The innermost line of the stack that belongs to the model. */
function callingLine(): string | undefined {
  const { stackTraceLimit } = Error;
  // The frames of tfjs alone are more than are kept by default.
  Error.stackTraceLimit = 100;
  const frames = (new Error().stack ?? '').split('\n').slice(1);
  Error.stackTraceLimit = stackTraceLimit;
  const calling = frames.find((frame) => BACKWARD.test(frame) || !isMachinery(frame)) ?? '';
  if (BACKWARD.test(calling)) return undefined;
  return /(?:\(|at )([^()]+:\d+:\d+)\)?$/.exec(calling)?.[1];
}
