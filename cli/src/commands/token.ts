/** `glocal token`: a token for somebody who is to call the server, made as the server reads it. */

import { text } from 'node:stream/consumers';
import { Command } from 'commander';
import { CommandError, type ExitCode } from '../exit.ts';
import { print } from '../output.ts';
import { endOf, requireTrainer, startTrainer } from '../trainer.ts';

const JSON_FLAG = '--json';

export const token = (): Command =>
  new Command('token')
    .description("makes a token and its line for the server's file of tokens; see --help")
    .argument('[flags...]')
    .usage('[--json] --owner <name> [flags of glocal-trainer token]')
    .allowUnknownOption()
    .passThroughOptions()
    .helpOption(false)
    .action(async (args: readonly string[]) => {
      const json = args.includes(JSON_FLAG);
      const given = args.filter((arg) => arg !== JSON_FLAG);
      const child = startTrainer(requireTrainer(), ['token', ...given], json ? 'pipe' : 'inherit');
      const [printed, code] = await Promise.all([
        child.stdout === null ? '' : text(child.stdout),
        endOf(child),
      ]);
      if (code !== 0) throw new CommandError('', code as ExitCode);
      // The token, and unless it was added to a file already, after a line of words the one for the file.
      const [made = '', ...rest] = printed.split('\n').filter((line) => line !== '');
      if (json) print(true, { token: made, line: rest.at(-1) }, () => '');
    });
