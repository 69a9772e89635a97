/** What can be wrong with a request, whoever asks: `api/` maps these to gRPC, a library's caller catches them as they are. */

/** One thing that is wrong with a request. */
export interface FieldViolation {
  /** Path of the field in proto names, for instance `method.sigma`. */
  readonly field: string;
  /** What was wrong and what to do. */
  readonly description: string;
}

/** The violations in one line. */
export const describe = (violations: readonly FieldViolation[]): string =>
  violations.map(({ field, description }) => (field ? `${field}: ${description}` : description)).join('; ');

/** Fields of a request are wrong; the message names each of them. */
export class FieldError extends Error {
  override readonly name = 'FieldError';
  readonly reason: string;
  readonly violations: readonly FieldViolation[];

  /** @param reason UPPER_SNAKE_CASE, stable, for programs. */
  constructor(reason: string, violations: readonly FieldViolation[]) {
    super(describe(violations));
    this.reason = reason;
    this.violations = violations;
  }

  /** One field is wrong. */
  static of(reason: string, field: string, description: string): FieldError {
    return new FieldError(reason, [{ field, description }]);
  }
}

/** There is no such resource. */
export class NotFoundError extends Error {
  override readonly name = 'NotFoundError';
  /** Its name, for instance `studies/a`. */
  readonly resource: string;

  constructor(resource: string) {
    super(`${resource} does not exist`);
    this.resource = resource;
  }
}

/** The resource is in a state in which this cannot be done; the message names both. */
export class StateError extends Error {
  override readonly name = 'StateError';
}

/** What goes on for long ends before its time; the same request goes on from there, now or later. */
export class InterruptedError extends Error {
  override readonly name: string = 'InterruptedError';
  readonly reason: string;
  readonly retryAfterMs: number | undefined;

  /** @param reason UPPER_SNAKE_CASE, stable, for programs. */
  constructor(reason: string, message: string, retryAfterMs?: number) {
    super(message);
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The server is stopping: the next one takes the same request. */
export class StoppingError extends InterruptedError {
  override readonly name = 'StoppingError';

  constructor() {
    super('SERVER_STOPPING', 'the server is stopping; connect again');
  }
}

/** A limit of the server is reached; the message says which. */
export class BusyError extends Error {
  override readonly name = 'BusyError';
  readonly reason: string;
  /** Undefined where waiting does not help. */
  readonly retryAfterMs: number | undefined;

  /** @param reason UPPER_SNAKE_CASE, stable, for programs. */
  constructor(reason: string, message: string, retryAfterMs?: number) {
    super(message);
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}
