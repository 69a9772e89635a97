/** How a command ends: exit codes as in sysexits.h, the same as those of the DMD service. */

/** A flag, variable, setting, or a file that one names, is wrong. */
export const USAGE = 64;
/** A service, an address or the store is not there, or not as it should be. */
export const UNAVAILABLE = 69;
/** The program is at fault. */
export const SOFTWARE = 70;

/** What a worker that trains one trial ends with, when it has not brought it to an end. */
export const ONCE = {
  /** No trial waits that it can train. */
  noWork: 10,
  /** It was told to stop, or its trial was interrupted: the trial waits for another. */
  handedBack: 11,
  /** The trial FAILED. */
  failed: 12,
} as const;

/** A command could not do what it was to do; the message is for who gave it. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: number;

  constructor(message: string, exitCode = UNAVAILABLE) {
    super(message);
    this.exitCode = exitCode;
  }
}
