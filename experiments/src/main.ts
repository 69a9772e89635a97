/** `npm run experiment -- NAME`: runs all arms of an experiment through the services, or goes on with them, and prints its tables. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { interruption, UsageError } from '@glocal/cli/command-line';
import { GlocalClient, GlocalError } from '@glocal/sdk';
import { ServerStartError, spawnTrainer } from '@glocal/trainer';
import { type ExperimentOptions, readOptions } from './options.ts';
import { ArmError, type Finished, runArms } from './run.ts';
import { tables } from './tables.ts';

const EXIT_UNAVAILABLE = 69;
/** 128 + SIGINT. */
const EXIT_INTERRUPTED = 130;

async function run(
  { experiment, seeds, only, parallel, out }: ExperimentOptions,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(out, { recursive: true });
  const trainer = await spawnTrainer({
    args: [
      ...['--store', join(out, 'studies.db'), '--log-level', 'warn', '--store-wait-seconds', '20'],
      ...['--max-running-trials', String(parallel), '--max-active-studies', '1000'],
    ],
    log: (line) => signal.aborted || process.stderr.write(`${line}\n`),
    signal,
  });
  try {
    await using client = await GlocalClient.connect({ address: trainer.address, signal });
    const arms = experiment.arms.filter(({ id }) => id.includes(only));
    const finished: Finished[] = [];
    for await (const arm of runArms(client, arms, seeds, signal)) {
      finished.push(arm);
      await writeFile(join(out, 'results.json'), `${JSON.stringify(finished, null, 2)}\n`);
      await writeFile(join(out, 'tables.md'), tables(finished));
    }
    console.log(tables(finished));
  } finally {
    await trainer.stop();
  }
}

const signal = interruption();
try {
  await run(readOptions(process.argv.slice(2)), signal);
} catch (error) {
  if (error instanceof UsageError) {
    process.exitCode = error.exitCode;
  } else if (signal.aborted) {
    console.error('\nstopped; the same command goes on from here');
    process.exitCode = EXIT_INTERRUPTED;
  } else if (error instanceof ServerStartError || error instanceof ArmError || error instanceof GlocalError) {
    console.error(`\nThe experiment could not be run: ${error.message}`);
    process.exitCode = EXIT_UNAVAILABLE;
  } else {
    throw error;
  }
}
