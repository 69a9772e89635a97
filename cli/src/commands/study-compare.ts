/** `glocal study compare`: studies side by side. */

import type { Command } from 'commander';
import { studyName } from '../names.ts';
import { print } from '../output.ts';
import { type OnlineFlags, online, withClient } from './online.ts';

export const compare = (): Command =>
  online(
    'compare',
    'studies side by side, with means over seeds and how far they are apart',
    'glocal study compare STUDY OTHER',
  )
    .argument('<study>', 'what the others are compared with')
    .argument('<others...>', 'names, with or without studies/')
    .addHelpText('after', '\n`glocal schedule plot STUDY STUDY …` draws them.')
    .action((name: string, others: readonly string[], flags: OnlineFlags) =>
      withClient(flags, async ({ studies }) => {
        const [first, ...rest] = await Promise.all(
          [name, ...others].map((given) => studies.get(studyName(given))),
        );
        const comparison = await first?.compare(rest);
        print(flags.json, comparison, () => String(comparison));
      }),
    );
