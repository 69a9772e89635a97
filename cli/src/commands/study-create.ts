/** `glocal study create`. */

import { type Command, Option } from 'commander';
import { connectionArguments } from '../connection.ts';
import { commandOf } from '../invocation.ts';
import { shortName, toLabel } from '../names.ts';
import { note, print } from '../output.ts';
import { readSpecification } from '../specification.ts';
import { watchStudy } from '../watch/watch.ts';
import { costWords } from '../words.ts';
import { type OnlineFlags, online, withClient } from './online.ts';

interface CreateFlags extends OnlineFlags {
  readonly file: string;
  readonly name?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly requestId?: string;
  readonly validate?: boolean;
  readonly watch?: boolean;
}

export const create = (): Command =>
  online('create', 'starts a study that a file describes', 'glocal study create -f study.yaml --watch')
    .requiredOption('-f, --file <file>', 'the study as YAML or JSON; - for standard input')
    .option('--name <text>', 'its name for people, in place of that of the file')
    .option('--label <key=value>', 'a label beside those of the file; may be repeated', toLabel)
    .option('--request-id <text>', 'the same study again gives the one made first, and not a second')
    .option('--watch', 'shows what happens to it until it has ended; Ctrl-C leaves it running')
    .addOption(
      new Option('--validate', 'only checks it, and prints it with every default').conflicts(['watch']),
    )
    .action((flags: CreateFlags) =>
      withClient(flags, async ({ studies }) => {
        const { json, name, label, requestId } = flags;
        const read = await readSpecification(flags.file);
        const spec = {
          ...read,
          ...(name !== undefined && { displayName: name }),
          ...(label !== undefined && { labels: { ...read.labels, ...label } }),
        };
        if (flags.validate) {
          const complete = await studies.validate(spec);
          return print(json, complete, () => ['good', costWords(complete)].filter(Boolean).join('; '));
        }
        const study = await studies.create(spec, { requestId });
        if (!flags.watch) {
          return print(json, study, () => `${study.name}\nto watch it: ${again(study.name, flags)}`);
        }
        note(study.name);
        await watchStudy(study, { json, connection: connectionArguments(flags) });
      }),
    );

const again = (name: string, flags: OnlineFlags): string =>
  commandOf('study', 'watch', shortName(name), ...connectionArguments(flags));
