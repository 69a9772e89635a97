/** `npm run demo`: starts the services, trains the same network several ways, and compares. */

import { join } from 'node:path';
import { interruption, UsageError } from '@glocal/cli/command-line';
import { CommandError, INTERRUPTED, UNAVAILABLE } from '@glocal/cli/exit';
import { makeFolder, writing } from '@glocal/cli/writing';
import type { Dashboard } from '@glocal/dashboard';
import { GlocalClient, GlocalError } from '@glocal/sdk';
import { ServerStartError, spawnTrainer } from '@glocal/trainer';
import { fallbackNotice } from '@glocal/trainer/backend';
import { writeFiles } from './files.ts';
import { type DemoOptions, readOptions } from './options.ts';
import { openSession } from './session.ts';
import { type FinishedRun, PROBLEM, RunError, run } from './study.ts';
import { comparison, runLine } from './terminal.ts';

async function demo(options: DemoOptions, signal: AbortSignal): Promise<void> {
  await writing('--out', () => makeFolder(options.out));
  const trainer = await spawnTrainer({
    args: [
      ...['--store', join(options.out, 'studies.db'), '--log-level', 'warn'],
      // The server of a demo that was killed a moment ago may still train its window to the end.
      ...['--store-wait-seconds', '20'],
    ],
    log: (line) => signal.aborted || process.stderr.write(`${line}\n`),
    signal,
  });
  try {
    await using client = await GlocalClient.connect({ address: trainer.address, signal });
    const what = await describe(client);
    console.error(`${what} · DMD ready`);
    console.error(fallbackNotice() ?? '');
    await using cleanUp = new AsyncDisposableStack();
    if (options.dashboard) cleanUp.use(await showDashboard(trainer.address));
    const session = await openSession(options, client);
    if (session.resumed) console.error('goes on where it was interrupted');
    const runs: FinishedRun[] = [];
    for (const kind of options.runs) {
      const line = runLine(kind, options.steps);
      try {
        runs.push(await run(client, kind, { ...options, session: session.id }, line, signal));
      } catch (error) {
        if (error instanceof RunError) await session.end();
        throw error;
      } finally {
        line.stop();
      }
    }
    const files = await writeFiles(options.out, runs, `${what}, seed ${options.seed}`);
    console.error();
    console.log(comparison(runs));
    console.log(`\n${files.join('   ')}`);
    await session.end();
    if (options.dashboard && !signal.aborted) {
      console.error('\nthe dashboard stays until Ctrl-C');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    }
  } finally {
    await trainer.stop();
  }
}

/** Its usual port where that is free, so that a tab of the demo before goes on by itself. */
async function showDashboard(address: string): Promise<Dashboard> {
  const { startDashboard } = await import('@glocal/dashboard');
  const start = (listen: string): Promise<Dashboard> => startDashboard({ client: { address }, listen });
  const dashboard = await start('127.0.0.1:8090').catch(() => start('127.0.0.1:0'));
  console.error(`watch it at ${dashboard.url}`);
  return dashboard;
}

/** What is trained, and on what. */
async function describe(client: GlocalClient): Promise<string> {
  const [{ datasets, models }, { backend }] = await Promise.all([client.problems(), client.serverInfo()]);
  const dataset = datasets.find(({ id }) => id === PROBLEM.dataset);
  const model = models.find(({ id }) => id === PROBLEM.model);
  const count = (n: number | undefined) => n?.toLocaleString('en') ?? '?';
  return `Fashion-MNIST, ${count(dataset?.trainExamples)} images · LeNet, ${count(model?.parameters)} parameters · ${backend}`;
}

const signal = interruption();
try {
  await demo(readOptions(process.argv.slice(2)), signal);
  process.exitCode = 0;
} catch (error) {
  if (error instanceof UsageError) {
    process.exitCode = error.exitCode;
  } else if (error instanceof CommandError) {
    console.error(error.message);
    process.exitCode = error.exitCode;
  } else if (signal.aborted) {
    console.error('\nstopped');
    process.exitCode = INTERRUPTED;
  } else if (error instanceof ServerStartError || error instanceof RunError) {
    console.error(`\nThe demo could not be run: ${error.message}`);
    process.exitCode = UNAVAILABLE;
  } else if (error instanceof GlocalError) {
    console.error(`\n${error}`);
    process.exitCode = UNAVAILABLE;
  } else {
    throw error;
  }
}
