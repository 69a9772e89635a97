/** `npm run scale`: a fleet on one machine, some of whose processes are killed, and an account of everything. */

import { Command, InvalidArgumentError } from 'commander';
import { parseOrExit } from '../support/command-line.ts';
import { progressLine, reportLines } from './report.ts';
import { runScale } from './run.ts';

/** 128 + SIGINT. */
const EXIT_INTERRUPTED = 130;

const command = new Command('npm run scale --')
  .description(
    'Starts a PostgreSQL of its own, servers, and workers with their DMD services; gives them short trials, and kills some of ' +
      'the processes (kill -9) at moments that follow from a seed; each is started again. In the end no trial, outer step or ' +
      'event may be missing or there twice, and every trial must have come out bit for bit as one of the same seed that nobody ' +
      'disturbed. The last line says so; exit code 1 says that it is not so.',
  )
  .option('--trials <n>', 'trials to train, in studies of eight', atLeast(1), 40)
  .option('--workers <n>', 'processes that train, one trial at a time', atLeast(1), 3)
  .option('--servers <n>', 'processes that answer, among which clients choose', atLeast(1), 2)
  .option('--kill-rate <share>', 'share of all processes that are killed, once each', share, 0.5)
  .option('--seed <n>', 'what the moments follow from', atLeast(0), 0)
  .option('--lease-seconds <n>', 'after which a silent worker has lost its trials', atLeast(1), 10);

parseOrExit(command);

interface Options {
  readonly trials: number;
  readonly workers: number;
  readonly servers: number;
  readonly killRate: number;
  readonly seed: number;
  readonly leaseSeconds: number;
}

const { leaseSeconds, ...options } = command.opts<Options>();
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort());
let line = '';
try {
  const result = await runScale({
    ...options,
    leaseMs: 1_000 * leaseSeconds,
    signal: interrupted.signal,
    onStage: (what) => console.error(what),
    onProgress: (progress) => {
      // Once a second, and only what is new.
      const next = progressLine(progress, options.trials);
      if (next.slice(9) !== line.slice(9)) console.error(next);
      line = next;
    },
  });
  console.log(`seed ${options.seed}`);
  for (const text of reportLines(result)) console.log(text);
  process.exitCode = result.findings.length === 0 ? 0 : 1;
} catch (error) {
  if (!interrupted.signal.aborted) throw error;
  console.error('interrupted');
  process.exitCode = EXIT_INTERRUPTED;
}

function atLeast(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least}.`);
  };
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('It must be a number from 0 to 1.');
}
