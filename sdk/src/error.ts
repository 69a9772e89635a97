/** The one error class of the SDK. How an answer of the server becomes one: `status.ts`. */

import { inspect } from 'node:util';

/** gRPC status codes, by name. */
export type ErrorCode =
  | 'CANCELLED'
  | 'UNKNOWN'
  | 'INVALID_ARGUMENT'
  | 'DEADLINE_EXCEEDED'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'OUT_OF_RANGE'
  | 'UNIMPLEMENTED'
  | 'INTERNAL'
  | 'UNAVAILABLE'
  | 'DATA_LOSS'
  | 'UNAUTHENTICATED';

/** One thing that is wrong with what was sent. */
export interface FieldViolation {
  /** Path of the field as it is written in the call, for instance `space.lr.init` or `method.dmd.svdRank`. */
  readonly field: string;
  /** What was wrong and what to do. */
  readonly description: string;
}

/** What a {@link GlocalError} knows beside code and message. */
export interface GlocalErrorDetails {
  readonly reason?: string | undefined;
  readonly fieldViolations?: readonly FieldViolation[] | undefined;
  readonly retryDelay?: number | undefined;
  readonly requestId?: string | undefined;
  readonly cause?: unknown;
}

/** Everything that the SDK throws: an error of the server, of the connection, or of the options given. */
export class GlocalError extends Error {
  override readonly name = 'GlocalError';
  /** gRPC status code. */
  readonly code: ErrorCode;
  /** Stable UPPER_SNAKE_CASE word for programs, where there is more to say than the code does. */
  readonly reason: string | undefined;
  /** What is wrong field by field; only with INVALID_ARGUMENT. */
  readonly fieldViolations: readonly FieldViolation[];
  /** Milliseconds after which the same call may succeed, when the server said so. */
  readonly retryDelay: number | undefined;
  /** Under which the server's log has this call. Undefined when nothing was sent. */
  readonly requestId: string | undefined;

  constructor(code: ErrorCode, message: string, details: GlocalErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.reason = details.reason;
    this.fieldViolations = details.fieldViolations ?? [];
    this.retryDelay = details.retryDelay;
    this.requestId = details.requestId;
    // V8 wrote "Error: message" above the frames before the fields were known.
    const frames = this.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? [];
    Object.defineProperty(this, 'stack', {
      value: [this.toString(), ...frames].join('\n'),
      writable: true,
      configurable: true,
    });
  }

  /**
   * INVALID_ARGUMENT for what cannot even be sent.
   * @internal
   */
  static invalid(reason: string, violations: readonly FieldViolation[], cause?: unknown): GlocalError {
    const message = describe(violations);
    return new GlocalError('INVALID_ARGUMENT', message, { reason, fieldViolations: violations, cause });
  }

  /**
   * What console.error prints: what is wrong and where, without the error of gRPC below it.
   * @internal
   */
  [inspect.custom](): string {
    return this.stack ?? this.toString();
  }

  /** Code, reason and request in one line, then what is wrong: in the same line, or one line for each field. */
  override toString(): string {
    const reason = this.reason === undefined ? '' : ` (${this.reason})`;
    const request = this.requestId === undefined ? '' : ` request ${this.requestId}`;
    const head = `${this.name} ${this.code}${reason}${request}`;
    if (this.fieldViolations.length === 0) return `${head}: ${this.message}`;
    return [head, ...this.fieldViolations.map((violation) => `  ${line(violation)}`)].join('\n');
  }
}

/** All violations in one line. */
export function describe(violations: readonly FieldViolation[]): string {
  return violations.map(line).join('; ');
}

/** One violation. The server says without a field how many more there are. */
const line = ({ field, description }: FieldViolation): string =>
  field === '' ? description : `${field}: ${description}`;
