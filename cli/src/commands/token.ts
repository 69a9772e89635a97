/** `glocal token`: a token for somebody who is to call the server, made as the server reads it. */

import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { print } from '../output.ts';
import { requireTrainer, startTrainer, wellEnded } from '../trainer.ts';
import { trainerCommand } from '../trainer-command.ts';

export const token = (): Command =>
  trainerCommand(
    'token',
    {
      description: "makes a token and its line for the server's file of tokens; see --help",
      usage: '--owner <name> [flags of glocal-trainer token]',
      command: 'token',
      example: 'glocal token --owner ada --role read --file tokens',
    },
    async (args, json) => {
      const child = startTrainer(requireTrainer(), args, json ? 'pipe' : 'inherit');
      const [printed] = await Promise.all([
        child.stdout === null ? '' : text(child.stdout),
        wellEnded(child),
      ]);
      // The token, and unless it was added to a file already, after a line of words the one for the file.
      const [made = '', ...rest] = printed.split('\n').filter((line) => line !== '');
      if (json) print(true, { token: made, line: rest.at(-1) }, () => '');
    },
  );
