/** `glocal-trainer setup`: sets the native runtime up, again where that has failed. */

import { Command } from 'commander';
import { setUpAgain } from '../backend/first-start.ts';
import { parseArguments } from '../config/parse.ts';
import { CommandError } from './exit.ts';

/**
 * Tells how far it is, and what is wrong when it cannot be done.
 * @throws CommandError, ConfigError
 */
export async function setup(args: readonly string[]): Promise<void> {
  const command = new Command('glocal-trainer setup')
    .description(
      'Sets the native TensorFlow runtime up, in place of WebAssembly; without it training is slower.',
    )
    .option('--force', 'also where it is set up already');
  parseArguments(command, args);
  const { force = false } = command.opts<{ force?: boolean }>();
  const status = await setUpAgain({ log: (line) => process.stderr.write(`${line}\n`), force });
  // What is wrong has been said.
  if (!status.installed) throw new CommandError('');
  process.stdout.write('the native TensorFlow runtime is set up\n');
}
