/** The errors of the SDK: one class, and a few kinds of it. How an answer of the server becomes one: `status.ts`. */

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

/** A detail of an error as the server sent it, also of a kind that this version does not know. */
export interface ErrorDetail {
  /** Name of the message, for instance `google.rpc.QuotaFailure`. */
  readonly type: string;
  /** The message, encoded. */
  readonly value: Uint8Array;
}

/** What a {@link GlocalError} knows beside code and message. */
export interface GlocalErrorDetails {
  readonly reason?: string | undefined;
  readonly fieldViolations?: readonly FieldViolation[] | undefined;
  readonly retryDelay?: number | undefined;
  readonly requestId?: string | undefined;
  readonly details?: readonly ErrorDetail[] | undefined;
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
  /** All that the server sent along. */
  readonly details: readonly ErrorDetail[];

  /** @param code where there is a class for it, make one of that */
  constructor(code: ErrorCode, message: string, details: GlocalErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.reason = details.reason;
    this.fieldViolations = details.fieldViolations ?? [];
    this.retryDelay = details.retryDelay;
    this.requestId = details.requestId;
    this.details = details.details ?? [];
    // V8 wrote "Error: message" above the frames before the fields were known.
    const frames = this.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? [];
    Object.defineProperty(this, 'stack', {
      value: [this.toString(), ...frames].join('\n'),
      writable: true,
      configurable: true,
    });
  }

  /** Whether the same call may succeed later, with nothing changed: the server was away, or said when to come back. */
  get retryable(): boolean {
    return this.code === 'UNAVAILABLE' || this.retryDelay !== undefined;
  }

  /**
   * INVALID_ARGUMENT for what cannot even be sent.
   * @internal
   */
  static invalid(
    reason: string,
    violations: readonly FieldViolation[],
    cause?: unknown,
  ): InvalidArgumentError {
    return new InvalidArgumentError(describe(violations), { reason, fieldViolations: violations, cause });
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

/** Something given is wrong: `fieldViolations` say what, field by field. */
export class InvalidArgumentError extends GlocalError {
  declare readonly code: 'INVALID_ARGUMENT';
  constructor(message: string, details?: GlocalErrorDetails) {
    super('INVALID_ARGUMENT', message, details);
  }
}

/** What was named does not exist, or is not the caller's. */
export class NotFoundError extends GlocalError {
  declare readonly code: 'NOT_FOUND';
  constructor(message: string, details?: GlocalErrorDetails) {
    super('NOT_FOUND', message, details);
  }
}

/** The server does not know who calls: there is no token, or none that it takes. */
export class UnauthenticatedError extends GlocalError {
  declare readonly code: 'UNAUTHENTICATED';
  constructor(message: string, details?: GlocalErrorDetails) {
    super('UNAUTHENTICATED', message, details);
  }
}

/** The server cannot be reached, or cannot answer for now. */
export class UnavailableError extends GlocalError {
  declare readonly code: 'UNAVAILABLE';
  constructor(message: string, details?: GlocalErrorDetails) {
    super('UNAVAILABLE', message, details);
  }
}

/** The `timeout` is over. What was asked for may have been done. */
export class DeadlineExceededError extends GlocalError {
  declare readonly code: 'DEADLINE_EXCEEDED';
  constructor(message: string, details?: GlocalErrorDetails) {
    super('DEADLINE_EXCEEDED', message, details);
  }
}

/** This side broke it off: a signal was aborted, whose reason is the `cause`, or the client closed. */
export class CancelledError extends GlocalError {
  declare readonly code: 'CANCELLED';
  constructor(message: string, details?: GlocalErrorDetails) {
    super('CANCELLED', message, details);
  }
}

const CLASSES: Partial<Record<ErrorCode, new (message: string, details: GlocalErrorDetails) => GlocalError>> =
  {
    INVALID_ARGUMENT: InvalidArgumentError,
    NOT_FOUND: NotFoundError,
    UNAUTHENTICATED: UnauthenticatedError,
    UNAVAILABLE: UnavailableError,
    DEADLINE_EXCEEDED: DeadlineExceededError,
    CANCELLED: CancelledError,
  };

/** The error with a code that is only known as the program runs, of the class that there is for it. */
export function errorOf(code: ErrorCode, message: string, details: GlocalErrorDetails = {}): GlocalError {
  const Class = CLASSES[code];
  return Class === undefined ? new GlocalError(code, message, details) : new Class(message, details);
}

/**
 * The same error with the fields as the caller wrote them, where it names any.
 * @param rephrase the same for what is said of them
 */
export function withFields<E>(
  error: E,
  rename: (field: string) => string,
  rephrase: (description: string) => string = (description) => description,
): E | GlocalError {
  if (!(error instanceof GlocalError) || error.fieldViolations.length === 0) return error;
  const { code, reason, retryDelay, requestId, details, cause } = error;
  const fieldViolations = error.fieldViolations.map(({ field, description }) => ({
    field: rename(field),
    description: rephrase(description),
  }));
  const message = describe(fieldViolations);
  return errorOf(code, message, { reason, fieldViolations, retryDelay, requestId, details, cause });
}

/** All violations in one line. */
export function describe(violations: readonly FieldViolation[]): string {
  return violations.map(line).join('; ');
}

/** One violation. The server says without a field how many more there are. */
const line = ({ field, description }: FieldViolation): string =>
  field === '' ? description : `${field}: ${description}`;
