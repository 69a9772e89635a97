/** Commands whose flags are the trainer's own. */

import { Command } from 'commander';
import { helpEnd, JSON_FLAG } from './output.ts';
import { findTrainer, HOW_TO_GET_ONE, startTrainer, wellEnded } from './trainer.ts';

/** How a command is told of, beside its flags, which the trainer lists. */
interface Words {
  readonly description: string;
  /** Follows `[--json]`, the one flag that is not the trainer's. */
  readonly usage: string;
  /** A whole command line, for `--help`. */
  readonly example: string;
  /** The trainer's command; without it, the trainer serves. */
  readonly command?: string;
}

/** @param run is given what the trainer is to be started with, and whether `--json` was among it. */
export function trainerCommand(
  name: string,
  { description, usage, example, command }: Words,
  run: (args: readonly string[], json: boolean) => Promise<void>,
): Command {
  const before = command === undefined ? [] : [command];
  return new Command(name)
    .description(description)
    .argument('[flags...]', "the trainer's, listed below")
    .option(...JSON_FLAG)
    .usage(`[--json] ${usage}`)
    .addHelpText('after', helpEnd(example))
    .allowUnknownOption()
    .passThroughOptions()
    .helpOption(false)
    .action(
      async (given: readonly string[], { json = false }: { readonly json?: boolean }, self: Command) => {
        if (given.some((flag) => flag === '--help' || flag === '-h')) return help(self, before);
        const [flag] = JSON_FLAG;
        const args = [...before, ...given.filter((argument) => argument !== flag)];
        await run(args, json || given.includes(flag));
      },
    );
}

/** Its own help, and the trainer's of its flags. */
async function help(command: Command, before: readonly string[]): Promise<void> {
  command.outputHelp();
  const trainer = findTrainer();
  process.stdout.write('\n');
  if (trainer === undefined) process.stdout.write(`The trainer lists its flags: ${HOW_TO_GET_ONE}\n`);
  else await wellEnded(startTrainer(trainer, [...before, '--help'], 'inherit'));
}
