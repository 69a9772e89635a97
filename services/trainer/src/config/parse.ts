/** Reads a command line, whose errors are ours. */

import { type Command, CommanderError } from 'commander';
import { ConfigError } from './errors.ts';

/**
 * Fills in the options of a command. `--help` and `--version` print and throw a ConfigError with exit code 0.
 * @throws ConfigError
 */
export function parseArguments(command: Command, args: readonly string[]): void {
  command
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  try {
    command.parse([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ');
    throw new ConfigError(error.exitCode === 0 ? '' : message, error.exitCode === 0 ? 0 : 64);
  }
}
