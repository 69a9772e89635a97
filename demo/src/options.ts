/** The command line of the demo. */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArguments } from '@glocal/cli/command-line';
import { Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_RUNS, RUN_KINDS, type RunKind, WINDOW } from './runs.ts';

const DEFAULT_FOLDER = fileURLToPath(new URL('../../runs/demo', import.meta.url));

export interface DemoOptions {
  /** Inner steps of each run. */
  readonly steps: number;
  /** Fixes initial weights, validation split and data order, for all runs alike. */
  readonly seed: number;
  /** What runs, one after the other. */
  readonly runs: readonly RunKind[];
  /** Folder for the results. */
  readonly out: string;
  /** Whether pages in a browser show it while it runs. */
  readonly dashboard?: boolean;
}

/**
 * @param args without the program's name.
 * @throws UsageError
 */
export function readOptions(args: readonly string[]): DemoOptions {
  const command = new Command('npm run demo --')
    .description(
      'Trains LeNet on 10,000 images of Fashion-MNIST, with fixed hyperparameters, with a schedule, and while glocal ' +
        'hypergradients move them, and compares.',
    )
    .addOption(
      new Option('--steps <n>', `inner steps of each run, a multiple of ${WINDOW}`)
        .default(1_000)
        .argParser(steps),
    )
    .addOption(
      new Option('--seed <n>', 'seed of weights, validation split and data order').default(0).argParser(seed),
    )
    .addOption(
      new Option('--runs <list>', 'what to compare, some of those below')
        .default(DEFAULT_RUNS, list(DEFAULT_RUNS))
        .argParser(runs),
    )
    .addOption(
      new Option('--out <folder>', 'where the results go').default(DEFAULT_FOLDER, join('runs', 'demo')),
    )
    .option('--dashboard', 'prints a link to pages that show it while it runs, and stay until Ctrl-C')
    .addHelpText('after', `\nRuns, how each moves the hyperparameters:\n${descriptions()}`);
  parseArguments(command, args);
  return command.opts<DemoOptions>();
}

function steps(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= WINDOW && value % WINDOW === 0) return value;
  throw new InvalidArgumentError(`It must be a multiple of ${WINDOW}, for instance 1000.`);
}

function seed(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= 0 && value < 2 ** 32) return value;
  throw new InvalidArgumentError('It must be a whole number from 0 to 4294967295.');
}

function runs(text: string): RunKind[] {
  const chosen = text.split(',').map((name) => name.trim().toLowerCase());
  if (new Set(chosen).size < chosen.length) throw new InvalidArgumentError('One is listed twice.');
  return chosen.map((name) => {
    const kind = RUN_KINDS.find(({ id }) => id === name);
    if (kind === undefined) throw new InvalidArgumentError(`"${name}" is not one of ${list(RUN_KINDS)}.`);
    return kind;
  });
}

const list = (kinds: readonly RunKind[]): string => kinds.map(({ id }) => id).join(',');

const descriptions = (): string =>
  RUN_KINDS.map(({ id, description }) => `  ${id.padEnd(10)} ${description}\n`).join('');
