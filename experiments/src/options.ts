/** The command line of experiments. */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArguments, UsageError } from '@glocal/cli/command-line';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import type { Experiment, Size } from './experiment.ts';
import { EXPERIMENTS } from './registry.ts';

const RUNS = fileURLToPath(new URL('../../runs', import.meta.url));

export interface ExperimentOptions {
  readonly name: string;
  readonly experiment: Experiment;
  readonly size: Size;
  /** Of each arm, unless it needs fewer. */
  readonly seeds: number;
  /** What arms have in their id; empty for all. */
  readonly only: string;
  /** Trials that train at a time. */
  readonly parallel: number;
  /** Folder for studies and tables. */
  readonly out: string;
  /** Of a server that is there; without it one is started. */
  readonly address?: string;
}

/**
 * @param args without the program's name.
 * @throws UsageError, also after `--list`
 */
export function readOptions(args: readonly string[]): ExperimentOptions {
  const command = new Command('npm run experiment --')
    .description('Compares ways to choose hyperparameters, through the services, with tables and figures.')
    .addArgument(new Argument('[name]', 'which experiment').choices(Object.keys(EXPERIMENTS)))
    .option(
      '--quick',
      'as little as shows the whole way, in ten minutes on two cores; the default where there is one',
    )
    .addOption(new Option('--full', 'as claims ask for').conflicts('quick'))
    .option('--seeds <n>', 'seeds of each row; as many as its claims ask for unless told otherwise', whole)
    .option('--only <text>', 'only rows that have this in their name', '')
    .option('--parallel <n>', 'trials that train at a time', whole)
    .option('--out <folder>', 'where studies and tables are kept, for going on; runs/NAME by default')
    .option('--address <address>', 'of a server that is there; without it one is started')
    .option('--list', 'prints the experiments, and ends')
    .addHelpText('after', `\nExperiments:\n${descriptions()}`);
  parseArguments(command, args);
  const flags = command.opts<Flags>();
  const { quick: _quick, full: _full, list, ...given } = flags;
  if (list) {
    process.stdout.write(descriptions());
    throw new UsageError('listed', 0);
  }
  const [name] = command.args;
  if (name === undefined) refuse('which experiment? --list prints them');
  const experiment = EXPERIMENTS[name] as Experiment;
  const size = sizeOf(experiment, flags);
  const seeds = experiment.seeds[size];
  if (seeds === undefined) refuse(`${name} has no quick form`);
  return {
    ...given,
    ...{ name, experiment, size },
    seeds: given.seeds ?? seeds,
    parallel: given.parallel ?? (experiment.alone ? 1 : 2),
    out: given.out ?? join(RUNS, name),
  };
}

interface Flags extends Pick<ExperimentOptions, 'only' | 'address'> {
  readonly quick?: true;
  readonly full?: true;
  readonly list?: true;
  readonly seeds?: number;
  readonly parallel?: number;
  readonly out?: string;
}

function sizeOf({ seeds }: Experiment, { quick, full }: Pick<Flags, 'quick' | 'full'>): Size {
  if (full) return 'full';
  return quick || seeds.quick !== undefined ? 'quick' : 'full';
}

function refuse(message: string): never {
  process.stderr.write(`error: ${message}\n`);
  throw new UsageError(message, 64);
}

function whole(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError('It must be a whole number of 1 or more.');
}

function descriptions(): string {
  const width = Math.max(...Object.keys(EXPERIMENTS).map(({ length }) => length));
  return Object.entries(EXPERIMENTS)
    .map(([name, { description }]) => `  ${name.padEnd(width)} ${description}\n`)
    .join('');
}
