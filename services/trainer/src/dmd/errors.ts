/** Why there is no report on a window, or no connection to ask for one. */

import { type ServiceError, status } from '@grpc/grpc-js';
import { retryInfo } from './retry-info.ts';

/**
 * - `away`: the service could not be reached, or had no time for it.
 * - `failed`: the service did, with this window; another one may succeed.
 * - `refused`: the service will never take this window.
 */
export type DmdErrorKind = 'away' | 'failed' | 'refused';

export class DmdError extends Error {
  override readonly name = 'DmdError';
  readonly kind: DmdErrorKind;

  constructor(message: string, kind: DmdErrorKind, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }

  /** What a call ended with. */
  static from(error: unknown): DmdError {
    if (error instanceof DmdError) return error;
    const message = error instanceof Error ? error.message : String(error);
    return new DmdError(`DMD service: ${oneLine(message)}`, kindOf(error), error);
  }

  /** Whether the service did not answer; false when it answered that it cannot or will not. */
  get unavailable(): boolean {
    return this.kind === 'away';
  }
}

/** Without what gRPC leaves behind where it has nothing more to say. */
const oneLine = (message: string): string =>
  message
    .replace(/\s+/g, ' ')
    .replace(/\.? *Resolution note: *$/, '')
    .trim();

/** A token may be on its way to be replaced, so one that is not accepted is tried again. */
const AWAY: ReadonlySet<status> = new Set([
  status.UNAVAILABLE,
  status.ABORTED,
  status.DEADLINE_EXCEEDED,
  status.CANCELLED,
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
]);

const FAILED: ReadonlySet<status> = new Set([status.INTERNAL, status.UNKNOWN, status.DATA_LOSS]);

function kindOf(error: unknown): DmdErrorKind {
  const code = (error as Partial<ServiceError> | undefined)?.code;
  // Without details, or without a time to come again, it is a limit that this window will always pass.
  if (code === status.RESOURCE_EXHAUSTED) return retryInfo(error) === null ? 'refused' : 'away';
  if (code === undefined || AWAY.has(code)) return 'away';
  return FAILED.has(code) ? 'failed' : 'refused';
}

/** A file that a connection needs cannot be used; the message names it. */
export class DmdConnectionError extends Error {
  override readonly name = 'DmdConnectionError';
}
