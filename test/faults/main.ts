/** `npm run faults`: kills the parts of the service at random moments, and accounts for everything afterwards. */

import { Command, InvalidArgumentError } from 'commander';
import { formatTable } from '../bench/table.ts';
import { parseOrExit } from '../support/command-line.ts';
import { type Tally, verdictOf } from './campaign.ts';
import { fleet, oneServer } from './campaigns.ts';
import { faultRows } from './rows.ts';
import { workloads } from './workloads.ts';

/** 128 + SIGINT. */
const EXIT_INTERRUPTED = 130;

const command = new Command('npm run faults --')
  .description(
    'Runs studies while server, training processes and DMD service are killed, stand still or find the disk full, ' +
      'connections are cut and checkpoints damaged, at moments that follow from a seed. In the end nothing that was acknowledged may be missing or there twice, and every ' +
      'trial must have taken the path of one that was not disturbed.',
  )
  .option('--kills <n>', 'how many kills to make, and as many other faults', whole, 100)
  .option('--fleet', 'of a fleet on PostgreSQL: servers and workers are killed, and so is the database')
  .option('--seed <n>', 'what the moments follow from', whole, 0);

parseOrExit(command);

const options = command.opts<{ kills: number; seed: number; fleet?: true }>();
const { kills, seed } = options;
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
const started = performance.now();
try {
  const tally = await (options.fleet ? fleet : oneServer)({
    kills,
    others: kills,
    seed,
    workloads: workloads(),
    signal: interrupted.signal,
    onFault: (fault, made) => console.error(`${seconds().padStart(5)} s  ${made}/${kills}  ${fault}`),
  });
  report(tally);
  process.exitCode = tally.findings.length === 0 ? 0 : 1;
} catch (error) {
  if (!interrupted.signal.aborted) throw error;
  console.error('interrupted');
  process.exitCode = EXIT_INTERRUPTED;
}

function report(tally: Tally): void {
  const { faults, studies, trials, outerSteps, findings } = tally;
  for (const [fault, count] of [...faults].sort()) console.log(`${String(count).padStart(5)}  ${fault}`);
  console.log(
    `seed ${seed}: ${studies} studies, ${trials} trials, ${outerSteps} outer steps in ${seconds()} s`,
  );
  console.log(formatTable(faultRows(tally), process.stdout.isTTY));
  for (const { kind, text } of findings) console.log(`${kind}: ${text}`);
  console.log(verdictOf({ findings }));
}

function seconds(): string {
  return ((performance.now() - started) / 1000).toFixed(0);
}

function whole(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError('It must be a whole number.');
}
