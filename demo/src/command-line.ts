/** Command lines of the programs of this repository. */

import { type Command, CommanderError } from 'commander';

/** The command line is wrong, or asked for help; what there is to say has been printed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  /** 0 after help, else 64 (EX_USAGE). */
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

/**
 * Parses arguments, of which none may be too many.
 * @param args without the program's name.
 * @throws UsageError
 */
export function parseArguments(command: Command, args: readonly string[]): void {
  try {
    command
      .allowExcessArguments(false)
      .exitOverride()
      .parse([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw new UsageError(error.message, error.exitCode === 0 ? 0 : 64);
  }
}

/** Aborted at the first Ctrl-C, or when the process is asked to end. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => controller.abort());
  return controller.signal;
}
