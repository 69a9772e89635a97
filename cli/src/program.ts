/** The command line: all commands, and what is common to them. */

import { Command } from 'commander';
import { addCompletion } from './commands/completion.ts';
import { dashboard } from './commands/dashboard.ts';
import { doctor } from './commands/doctor.ts';
import { exportStudies } from './commands/export.ts';
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

/**
 * A program anew: commander keeps what it has parsed.
 * @param options.json whether what is wrong with the command line is left to `report`, in place of words on standard error
 * @default json false
 */
export function glocal({ json = false }: { readonly json?: boolean } = {}): Command {
  const program = new Command('glocal')
    .description(
      'Runs studies that tune hyperparameters while they train, watches and steers them, and shows what they did.',
    )
    .version(VERSION)
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .addHelpText('after', `\nExit codes:\n${exitCodes()}`);
  for (const command of [init, serve, study, schedule, window, dashboard, exportStudies, token, doctor])
    program.addCommand(command());
  addCompletion(program);
  if (json) silence(program);
  return program;
}

function silence(command: Command): void {
  command.configureOutput({ writeErr: () => {} });
  for (const subcommand of command.commands) silence(subcommand);
}
