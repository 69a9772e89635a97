/** How commands end. The codes are those of sysexits.h, as of the trainer and the DMD service; `--help` and README list them. */

import { type ErrorCode, GlocalError } from '@glocal/sdk';
import { UsageError } from './command-line.ts';
import { withFlagNames } from './flag-names.ts';
import { toJson } from './json.ts';

/** What each exit code means. */
export const EXIT_CODES = {
  0: 'done; of a study that was watched: COMPLETED',
  1: 'a study that was watched ended as FAILED or CANCELLED, `doctor` found a fault, or what was asked cannot be done in this state',
  64: 'the command line is wrong',
  65: 'what was given is refused: a specification, an option of a window',
  66: 'a file, a study, a trial or an outer step is not there',
  69: 'the server cannot be reached, or a program that is needed is not installed',
  70: 'the program or the server is at fault',
  75: 'not now: a limit is reached, or somebody else was faster',
  77: 'the server asks for a token, or the token does not permit it',
  130: 'ended by Ctrl-C; a study that was watched goes on',
} as const;

export type ExitCode = keyof typeof EXIT_CODES;

export const FAILED: ExitCode = 1;
export const USAGE: ExitCode = 64;
export const REFUSED: ExitCode = 65;
export const NOT_THERE: ExitCode = 66;
export const UNAVAILABLE: ExitCode = 69;
export const SOFTWARE: ExitCode = 70;
export const INTERRUPTED: ExitCode = 130;

/** A command could not do what it was to do; the message is for who gave it. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode) {
    super(message);
    this.exitCode = exitCode;
  }
}

const BY_CODE: Readonly<Record<ErrorCode, ExitCode>> = {
  CANCELLED: INTERRUPTED,
  UNKNOWN: SOFTWARE,
  INVALID_ARGUMENT: REFUSED,
  DEADLINE_EXCEEDED: UNAVAILABLE,
  NOT_FOUND: NOT_THERE,
  ALREADY_EXISTS: FAILED,
  PERMISSION_DENIED: 77,
  RESOURCE_EXHAUSTED: 75,
  FAILED_PRECONDITION: FAILED,
  ABORTED: 75,
  OUT_OF_RANGE: REFUSED,
  UNIMPLEMENTED: UNAVAILABLE,
  INTERNAL: SOFTWARE,
  UNAVAILABLE,
  DATA_LOSS: SOFTWARE,
  UNAUTHENTICATED: 77,
};

/** Where to call and how are flags alone, which nothing was sent of. */
const isUsage = ({ reason, fieldViolations }: GlocalError): boolean =>
  reason === 'ADDRESS' ||
  reason === 'INSECURE' ||
  (reason === 'TLS' && fieldViolations.some(({ field }) => field === '--insecure'));

/**
 * Says on standard error what went wrong: in words, or with `json` as one JSON document.
 * @returns the exit code
 */
export function report(error: unknown, { json }: { readonly json: boolean }): ExitCode {
  if (error instanceof GlocalError) {
    const named = withFlagNames(error);
    const { code, reason, message, fieldViolations, requestId, retryDelay } = named;
    const document = { error: { code, reason, message, fieldViolations, requestId, retryDelay } };
    process.stderr.write(`${json ? toJson(document) : named}\n`);
    return isUsage(named) ? USAGE : BY_CODE[code];
  }
  // Of whatever asks where it is.
  if ((error as NodeJS.ErrnoException | undefined)?.syscall === 'uv_cwd')
    return report(new CommandError('the working folder is not there any more', NOT_THERE), { json });
  if (error instanceof CommandError) {
    const { message, exitCode } = error;
    // What was wrong another program has said.
    if (message === '') return exitCode;
    process.stderr.write(json ? `${toJson({ error: { message } })}\n` : `glocal: ${message}\n`);
    return exitCode;
  }
  if (error instanceof UsageError) {
    // In words commander has said it.
    const message = error.message.replace(/^error: /, '');
    if (json && error.exitCode !== 0) process.stderr.write(`${toJson({ error: { message } })}\n`);
    return error.exitCode;
  }
  // A fault of this program: whoever repairs it needs to know where.
  const message = `unexpected error: ${error instanceof Error ? error.stack : error}`;
  process.stderr.write(json ? `${toJson({ error: { message } })}\n` : `glocal: ${message}\n`);
  return SOFTWARE;
}
