/** The command line of the demo. */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Estimator } from '@glocal/sdk';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';

/** Inner steps of one outer step; the number of steps is a multiple of it. */
export const WINDOW = 50;

const ESTIMATORS: readonly Estimator[] = ['fixed', 'local', 'mean', 'median', 'glocal'];
const DEFAULT_FOLDER = fileURLToPath(new URL('../../runs/demo', import.meta.url));

export interface DemoOptions {
  /** Inner steps of each run. */
  readonly steps: number;
  /** Fixes initial weights, validation split and data order, for all runs alike. */
  readonly seed: number;
  /** What runs, one after the other. */
  readonly estimators: readonly Estimator[];
  /** Folder for the results. */
  readonly out: string;
}

/** The command line is wrong, or asked for help; what there is to say has been printed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  /** 0 after help, else 64 (EX_USAGE). */
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

/**
 * @param args without the program's name.
 * @throws UsageError
 */
export function readOptions(args: readonly string[]): DemoOptions {
  const command = new Command('npm run demo --')
    .description(
      'Trains LeNet on 10,000 images of Fashion-MNIST, once with fixed hyperparameters and once while glocal ' +
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
      new Option('--estimators <list>', `what to compare, some of ${ESTIMATORS.join(',')}`)
        .default(['fixed', 'glocal'], 'fixed,glocal')
        .argParser(estimators),
    )
    .addOption(
      new Option('--out <folder>', 'where the results go').default(DEFAULT_FOLDER, join('runs', 'demo')),
    )
    .allowExcessArguments(false)
    .exitOverride();
  try {
    command.parse([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw new UsageError(error.message, error.exitCode === 0 ? 0 : 64);
  }
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

function estimators(text: string): Estimator[] {
  const chosen = text.split(',').map((name) => name.trim().toLowerCase());
  const unknown = chosen.find((name) => !ESTIMATORS.includes(name as Estimator));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`"${unknown}" is none of ${ESTIMATORS.join(', ')}.`);
  }
  if (new Set(chosen).size < chosen.length) throw new InvalidArgumentError('One is listed twice.');
  return chosen as Estimator[];
}
