/** Command lines of the programs of this repository. */

import { type Command, CommanderError } from 'commander';

/** The command line is wrong, or asked for help; what there is to say has been printed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  /** 0 after help, else 64 (EX_USAGE). */
  readonly exitCode: 0 | 64;

  constructor(message: string, exitCode: 0 | 64) {
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
    throw asUsageError(error);
  }
}

/**
 * Parses arguments and does what they say, of a program with commands.
 * @param args without the program's name; `help` before the words of a command asks for its help.
 * @throws UsageError, and what a command throws
 */
export async function runCommand(program: Command, args: readonly string[]): Promise<void> {
  try {
    strict(program);
    // Commander would show the help of the first word alone.
    const [first, ...words] = args;
    const given = first === 'help' && words.length > 1 ? [...words, '--help'] : [...args];
    await program.parseAsync(given, { from: 'user' });
  } catch (error) {
    throw asUsageError(error);
  }
}

/** No command ends the process by itself, and none takes arguments that it does not know. */
function strict(command: Command): void {
  command.allowExcessArguments(false).exitOverride();
  for (const subcommand of command.commands) strict(subcommand);
}

function asUsageError(error: unknown): unknown {
  if (!(error instanceof CommanderError)) return error;
  return new UsageError(error.message, error.exitCode === 0 ? 0 : 64);
}

/** Aborted at the first Ctrl-C, or when the process is asked to end. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => controller.abort());
  return controller.signal;
}
