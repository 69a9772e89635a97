/** The command lines of our own tools. */

import { parseArguments, UsageError } from '@glocal/cli/command-line';
import type { Command } from 'commander';

/** Parses this process's arguments. After `--help` it exits with 0, and with 64 when they are wrong, as has been said. */
export function parseOrExit(command: Command): void {
  try {
    parseArguments(command, process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.exit(error.exitCode);
  }
}
