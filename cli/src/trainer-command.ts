/** Commands whose flags are the trainer's own. */

import { Command } from 'commander';

const JSON_FLAG = '--json';

/** How a command is told of, beside its flags, which the trainer lists with `--help`. */
interface Words {
  readonly description: string;
  /** Follows `[--json]`, the one flag that is not the trainer's. */
  readonly usage: string;
}

/** @param run is given the trainer's flags, and whether `--json` was among them. */
export const trainerCommand = (
  name: string,
  { description, usage }: Words,
  run: (flags: readonly string[], json: boolean) => Promise<void>,
): Command =>
  new Command(name)
    .description(description)
    .argument('[flags...]')
    .usage(`[--json] ${usage}`)
    .allowUnknownOption()
    .passThroughOptions()
    .helpOption(false)
    .action(async (given: readonly string[]) => {
      await run(
        given.filter((flag) => flag !== JSON_FLAG),
        given.includes(JSON_FLAG),
      );
    });
