/** The command lines of our own tools. */

import { type Command, CommanderError } from 'commander';

/** Parses this process's arguments. After `--help` it exits with 0, and with 64 when they are wrong, as has been said. */
export function parseOrExit(command: Command): void {
  try {
    command.allowExcessArguments(false).exitOverride().parse();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exit(error.exitCode === 0 ? 0 : 64);
  }
}
