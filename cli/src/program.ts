/** The command line: all commands, and what is common to them. */

import { Command } from 'commander';
import { addCompletion } from './commands/completion.ts';
import { doctor } from './commands/doctor.ts';
import { init } from './commands/init.ts';
import { schedule } from './commands/schedule.ts';
import { serve } from './commands/serve.ts';
import { study } from './commands/study.ts';
import { token } from './commands/token.ts';
import { window } from './commands/window.ts';
import { EXIT_CODES } from './exit.ts';
import { VERSION } from './version.ts';

const exitCodes = (): string =>
  Object.entries(EXIT_CODES)
    .map(([code, meaning]) => `  ${code.padStart(3)}  ${meaning}`)
    .join('\n');

/** A program anew: commander keeps what it has parsed. */
export function glocal(): Command {
  const program = new Command('glocal')
    .description(
      'Runs studies that tune hyperparameters while they train, watches and steers them, and shows what they did.',
    )
    .version(VERSION)
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .addHelpText('after', `\nExit codes:\n${exitCodes()}`);
  for (const command of [init, serve, study, schedule, window, token, doctor]) program.addCommand(command());
  addCompletion(program);
  return program;
}
