/** `glocal study watch`. */

import type { Command } from 'commander';
import { connectionArguments } from '../connection.ts';
import { watchStudy } from '../watch/watch.ts';
import { type OnlineFlags, online, withStudy } from './online.ts';

interface WatchFlags extends OnlineFlags {
  readonly cursor?: string;
}

export const watch = (): Command =>
  online(
    'watch',
    'shows what happens to a study until it has ended; Ctrl-C leaves it running',
    'glocal study watch STUDY',
  )
    .argument('<study>', 'its name, with or without studies/')
    .option('--cursor <cursor>', 'goes on after this event, whose cursor --json has shown')
    .addHelpText('after', '\nWith --json it prints one line of JSON for each event.')
    .action((name: string, flags: WatchFlags) =>
      withStudy(name, flags, (study) =>
        watchStudy(study, { ...flags, connection: connectionArguments(flags) }),
      ),
    );
