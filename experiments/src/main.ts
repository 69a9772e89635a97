/** `npm run experiment -- NAME`: runs all arms of an experiment through the services, or goes on with them, and prints its tables. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GlocalClient } from '@glocal/sdk';
import { spawnTrainer } from '@glocal/trainer';
import { Argument, Command, InvalidArgumentError } from 'commander';
import { defaults, defaultsChoice, defaultsLength } from './defaults.ts';
import type { Experiment } from './experiment.ts';
import { type Finished, runArms } from './run.ts';
import { tables } from './tables.ts';

const EXPERIMENTS: Readonly<Record<string, Experiment>> = {
  'defaults-choice': defaultsChoice,
  'defaults-length': defaultsLength,
  defaults,
};
const RUNS = fileURLToPath(new URL('../../runs', import.meta.url));

const command = new Command('npm run experiment --')
  .description('Compares ways to choose hyperparameters, through the services, and prints tables.')
  .addArgument(new Argument('<name>', 'which experiment').choices(Object.keys(EXPERIMENTS)))
  .option('--seeds <n>', 'seeds of each row; as many as its claims ask for unless told otherwise', whole)
  .option('--only <text>', 'only rows whose name has this in it')
  .option('--parallel <n>', 'trials that train at a time', whole, 1)
  .option('--out <folder>', 'where studies and tables are kept, for going on; by default runs/NAME')
  .addHelpText(
    'after',
    `\nExperiments:\n${Object.entries(EXPERIMENTS)
      .map(([name, { description }]) => `  ${name.padEnd(18)} ${description}\n`)
      .join('')}`,
  )
  .parse();

function whole(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError('It must be a whole number of 1 or more.');
}

const [name = ''] = command.args;
const experiment = EXPERIMENTS[name] as Experiment;
interface Options {
  readonly seeds?: number;
  readonly only?: string;
  readonly parallel: number;
  readonly out?: string;
}
const { seeds = experiment.seeds, only = '', parallel, out = join(RUNS, name) } = command.opts<Options>();
const arms = experiment.arms.filter(({ id }) => id.includes(only));

const controller = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => controller.abort());
await mkdir(out, { recursive: true });
const trainer = await spawnTrainer({
  args: [
    ...['--store', join(out, 'studies.db'), '--log-level', 'warn', '--store-wait-seconds', '20'],
    ...['--max-running-trials', String(parallel), '--max-active-studies', '1000'],
  ],
  log: (line) => process.stderr.write(`${line}\n`),
});
try {
  await using client = await GlocalClient.connect({ address: trainer.address });
  const finished: Finished[] = [];
  for await (const result of runArms(client, arms, seeds, controller.signal)) {
    finished.push(result);
    await writeFile(join(out, 'results.json'), `${JSON.stringify(finished, null, 2)}\n`);
    await writeFile(join(out, 'tables.md'), tables(finished));
  }
  console.log(tables(finished));
} finally {
  await trainer.stop();
}
