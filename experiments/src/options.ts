/** The command line of experiments. */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArguments } from '@glocal/cli/command-line';
import { Argument, Command, InvalidArgumentError } from 'commander';
import { defaults, defaultsChoice, defaultsLength, defaultsShort, defaultsWide } from './defaults.ts';
import type { Experiment } from './experiment.ts';

const EXPERIMENTS: Readonly<Record<string, Experiment>> = {
  defaults,
  'defaults-wide': defaultsWide,
  'defaults-short': defaultsShort,
  'defaults-length': defaultsLength,
  'defaults-choice': defaultsChoice,
};
const RUNS = fileURLToPath(new URL('../../runs', import.meta.url));

export interface ExperimentOptions {
  readonly experiment: Experiment;
  /** Of each arm, unless it needs fewer. */
  readonly seeds: number;
  /** What arms have in their id; empty for all. */
  readonly only: string;
  /** Trials that train at a time. */
  readonly parallel: number;
  /** Folder for studies and tables. */
  readonly out: string;
}

/**
 * @param args without the program's name.
 * @throws UsageError
 */
export function readOptions(args: readonly string[]): ExperimentOptions {
  const command = new Command('npm run experiment --')
    .description('Compares ways to choose hyperparameters, through the services, and prints tables.')
    .addArgument(new Argument('<name>', 'which experiment').choices(Object.keys(EXPERIMENTS)))
    .option('--seeds <n>', 'seeds of each row; as many as its claims ask for unless told otherwise', whole)
    .option('--only <text>', 'only rows that have this in their name', '')
    .option('--parallel <n>', 'trials that train at a time', whole, 1)
    .option('--out <folder>', 'where studies and tables are kept, for going on; runs/NAME by default')
    .addHelpText('after', `\nExperiments:\n${descriptions()}`);
  parseArguments(command, args);
  const [name = ''] = command.args;
  const experiment = EXPERIMENTS[name] as Experiment;
  const given = command.opts<Pick<ExperimentOptions, 'only' | 'parallel'> & Partial<ExperimentOptions>>();
  return { ...given, experiment, seeds: given.seeds ?? experiment.seeds, out: given.out ?? join(RUNS, name) };
}

function whole(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError('It must be a whole number of 1 or more.');
}

const descriptions = (): string =>
  Object.entries(EXPERIMENTS)
    .map(([name, { description }]) => `  ${name.padEnd(18)} ${description}\n`)
    .join('');
