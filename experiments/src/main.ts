/** `npm run experiment -- NAME`: runs an experiment through the services, or goes on with it, and prints its tables. */

import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { interruption, UsageError } from '@glocal/cli/command-line';
import { CommandError, FAILED, INTERRUPTED, NOT_THERE, UNAVAILABLE, USAGE } from '@glocal/cli/exit';
import { makeFolder, writing } from '@glocal/cli/writing';
import { GlocalClient, GlocalError } from '@glocal/sdk';
import { ServerStartError, spawnTrainer } from '@glocal/trainer';
import { MissingDataError } from './datasets.ts';
import { conduct } from './laboratory.ts';
import { type ExperimentOptions, readOptions } from './options.ts';
import { markdown } from './report/table.ts';
import { ArmError, NoRowError } from './run.ts';

async function run(options: ExperimentOptions, signal: AbortSignal): Promise<void> {
  const { name, experiment, size, address, out } = options;
  if (size === 'quick') {
    const shortened = experiment.shortened?.map((sentence) => `  ${sentence}`).join('\n');
    console.error(`the quick form of ${name}:\n${shortened}\n--full is the whole.\n`);
  }
  await writing('--out', () => makeFolder(out));
  await using cleanUp = new AsyncDisposableStack();
  const client = cleanUp.use(
    await GlocalClient.connect({ address: address ?? (await start(options, signal, cleanUp)), signal }),
  );
  const { tables, failed } = await conduct(client, options, address === undefined, signal);
  console.log(tables.map(markdown).join('\n'));
  console.error(`tables, figures, results.json and ledger.jsonl are in ${out}`);
  if (failed > 0) {
    console.error(`${failed} trials failed; the same command tries them again`);
    process.exitCode = FAILED;
  }
}

/** A server of the experiment's own, with its studies in the folder. */
async function start(
  { parallel, out }: ExperimentOptions,
  signal: AbortSignal,
  cleanUp: AsyncDisposableStack,
): Promise<string> {
  // Trials that train side by side share the cores.
  const threads = String(Math.max(1, Math.floor(availableParallelism() / parallel)));
  const trainer = await spawnTrainer({
    args: [
      ...['--store', join(out, 'studies.db'), '--log-level', 'warn', '--store-wait-seconds', '20'],
      ...['--max-running-trials', String(parallel), '--max-active-studies', '1000'],
    ],
    env: {
      TF_NUM_INTRAOP_THREADS: process.env.TF_NUM_INTRAOP_THREADS ?? threads,
      OMP_NUM_THREADS: process.env.OMP_NUM_THREADS ?? threads,
    },
    log: (line) => signal.aborted || process.stderr.write(`${line}\n`),
    signal,
  });
  cleanUp.defer(() => trainer.stop());
  return trainer.address;
}

const signal = interruption();
try {
  await run(readOptions(process.argv.slice(2)), signal);
} catch (error) {
  if (error instanceof UsageError) {
    process.exitCode = error.exitCode;
  } else if (error instanceof CommandError) {
    console.error(error.message);
    process.exitCode = error.exitCode;
  } else if (signal.aborted) {
    console.error('\nstopped; the same command goes on from here');
    process.exitCode = INTERRUPTED;
  } else if (error instanceof MissingDataError) {
    console.error(`Data is missing.\n${error.message}`);
    process.exitCode = NOT_THERE;
  } else if (error instanceof NoRowError) {
    console.error(error.message);
    process.exitCode = USAGE;
  } else if (error instanceof ServerStartError || error instanceof ArmError || error instanceof GlocalError) {
    console.error(`\nThe experiment could not be run: ${error.message}`);
    process.exitCode = UNAVAILABLE;
  } else {
    throw error;
  }
}
