/** `glocal schedule`: what a study found, as a table, and as pictures. */

import { writeFile } from 'node:fs/promises';
import type { Framework, Schedule } from '@glocal/sdk';
import { Command, InvalidArgumentError, Option } from 'commander';
import { CommandError, USAGE } from '../exit.ts';
import { toJson } from '../json.ts';
import { studyName, toTrial } from '../names.ts';
import { print } from '../output.ts';
import { isPicture, PICTURE_KINDS, PICTURES, type Picture } from '../pictures.ts';
import { writing } from '../writing.ts';
import { type OnlineFlags, online, withClient, withStudy } from './online.ts';

const FRAMEWORKS = ['keras', 'tfjs', 'pytorch', 'optax'] as const satisfies readonly Framework[];
const FORMATS = ['csv', 'json', ...FRAMEWORKS] as const;

interface ExportFlags extends OnlineFlags {
  readonly trial: number | string;
  readonly format: (typeof FORMATS)[number];
  readonly parameters?: readonly string[];
  readonly out?: string;
}

const exportSchedule = (): Command =>
  online(
    'export',
    "the trajectory of a trial's hyperparameters",
    'glocal schedule export STUDY --format pytorch --parameters lr,weightDecay -o glocal_schedule.py',
  )
    .argument('<study>', 'its name, with or without studies/')
    .option('--trial <n>', 'its position, or its name', toTrial, 0)
    .addOption(
      new Option(
        '--format <name>',
        'a table, plain data, or a module that makes an optimizer of a framework follow it',
      )
        .choices(FORMATS)
        .default('csv'),
    )
    .option('--parameters <names>', 'of a framework: only these, with commas', (text) => text.split(','))
    .option('-o, --out <file>', 'where to write it, in place of standard output')
    .addHelpText(
      'after',
      '\nWith --json it prints the table as data, code of a framework with its name, or where the file is.',
    )
    .action((name: string, flags: ExportFlags) => {
      const { out, json, format, parameters, trial } = flags;
      if (parameters !== undefined && !isFramework(format))
        throw new CommandError(`--parameters goes with --format ${FRAMEWORKS.join(', ')}`, USAGE);
      return withStudy(name, flags, async (study) => {
        const schedule = await study.schedule({ trial });
        if (out !== undefined) {
          await writing('--out', () => writeFile(out, written(schedule, flags)));
          if (json) print(json, { file: out }, () => out);
        } else if (json) {
          const document = isFramework(format)
            ? { format, code: written(schedule, flags) }
            : schedule.toJson();
          print(json, document, () => '');
        } else process.stdout.write(written(schedule, flags));
      });
    });

const isFramework = (format: (typeof FORMATS)[number]): format is Framework =>
  (FRAMEWORKS as readonly string[]).includes(format);

function written(schedule: Schedule, { format, parameters }: ExportFlags): string {
  if (isFramework(format)) return schedule.toCode(format, { parameters });
  return format === 'json' ? `${toJson(schedule.toJson())}\n` : schedule.toCsv();
}

interface PlotFlags extends OnlineFlags {
  readonly trial: number | string;
  readonly what: Picture;
  readonly out: string;
}

const plot = (): Command =>
  online(
    'plot',
    'draws a study, or several side by side',
    'glocal schedule plot STUDY --what losses -o losses.png',
  )
    .argument('<studies...>', 'their names, with or without studies/')
    .option('--trial <n>', 'position of the trial of each', toTrial, 0)
    .addOption(
      new Option('--what <picture>', 'what is drawn').choices(Object.keys(PICTURES)).default('schedule'),
    )
    .option('-o, --out <file>', `where to, ${PICTURE_KINDS.join(' or ')}`, toPicture, 'schedule.svg')
    .addHelpText('after', `\nPictures:\n${pictures()}`)
    .action((names: readonly string[], flags: PlotFlags) =>
      withClient(flags, async ({ studies }) => {
        const { what, out, trial } = flags;
        if (names.length > 1 && !PICTURES[what].several) {
          throw new CommandError(`--what ${what} is a picture of one study`, USAGE);
        }
        const [{ drawStudies }, { writePicture }] = await Promise.all([
          import('../plot.ts'),
          import('../files.ts'),
        ]);
        const found = await Promise.all(names.map((name) => studies.get(studyName(name))));
        const drawn = await drawStudies(what, found, trial);
        await writing('--out', () => writePicture(out, drawn));
        print(flags.json, { file: out }, () => out);
      }),
    );

export const schedule = (): Command =>
  new Command('schedule')
    .description('what a study found, as a table and as pictures')
    .addCommand(exportSchedule())
    .addCommand(plot());

function toPicture(path: string): string {
  if (isPicture(path)) return path;
  throw new InvalidArgumentError(`Its name must end in ${PICTURE_KINDS.join(' or ')}.`);
}

const pictures = (): string =>
  Object.entries(PICTURES)
    .map(([name, { about }]) => `  ${name.padEnd(15)} ${about}\n`)
    .join('');
