/** A process of the trainer, from its start to its end: a server, a worker, or both. */

import { type Logger, pino } from 'pino';
import { type HealthServer, serveHealth } from './api/health-server.ts';
import type { ApiServer } from './api/server.ts';
import { discardUnlessNeeded } from './checkpoint/tidy.ts';
import { trainOnce } from './commands/once.ts';
import { shownStore } from './config/database.ts';
import { type Config, readConfig } from './config.ts';
import { serveMetrics } from './metrics/server.ts';
import { usageIsKnown } from './process/usage.ts';
import { keepTakingUp, takeUpLost } from './queue/lost-trials.ts';
import { TrialQueue } from './queue/queue.ts';
import { keepDeleting } from './queue/retention.ts';
import type { TrialWorker } from './queue/worker.ts';
import { workerName } from './queue/worker-name.ts';
import { openOffered, openServer } from './serve-api.ts';
import { openParts, type Parts, type Start } from './serve-parts.ts';
import { keepResuming, makeWorker } from './serve-worker.ts';

/** Resolves with the exit code. */
export async function serve(args: readonly string[], version: string): Promise<number> {
  const config = readConfig(args, version);
  const log = pino({ level: config.logLevel }, pino.destination({ dest: 2, sync: true }));
  if (config.ignoredVariables.length > 0) {
    log.warn(
      { variables: config.ignoredVariables },
      'variables left aside: Kubernetes makes them for a Service whose name begins with glocal',
    );
  }
  await using cleanUp = new AsyncDisposableStack();
  return await run({ config, version, log, cleanUp });
}

async function run(start: Start): Promise<number> {
  const { config, log, cleanUp } = start;
  const { role } = config;
  const offered = role === 'worker' ? undefined : await openOffered(start);
  const parts = await openParts(start);
  const { store, checkpoints } = parts;
  const memoryBytes = memoryLimit(config, log);
  const name = workerName(config.workerName);
  const worker = role === 'server' ? undefined : makeWorker(start, parts, { name, memoryBytes });
  const dropped = (trial: string) => discardUnlessNeeded(store, checkpoints, trial, log);
  const queue = new TrialQueue({ ...parts, worker, dropped });
  await lookForLost(start, parts);
  const server = offered && (await openServer(start, parts, { ...offered, queue, memoryBytes }));
  cleanUp.defer(() => server?.stop());
  const health =
    config.healthListen === undefined
      ? undefined
      : cleanUp.use(await serveHealth(config.healthListen, { store, dmd: parts.dmdWatch }));
  stopInOrder(start, { server, worker, health });
  if (server !== undefined) cleanUp.use(keepDeleting({ ...parts, log }, config));
  if (!config.once) worker?.start();
  if (worker !== undefined) keepResuming(start, parts, queue);
  const figures =
    parts.metrics && config.metricsListen
      ? cleanUp.use(await serveMetrics(config.metricsListen, parts.metrics, log))
      : undefined;
  // Before anyone knows that it runs: who stops it at once stops it properly, too.
  const stopping = stopRequested(config.exitWithStdin);
  process.stdout.write(
    server === undefined
      ? `glocal-trainer works as ${name}\n`
      : `glocal-trainer listening on ${server.address}\n`,
  );
  log.info(
    {
      role,
      address: server?.address,
      worker: worker && name,
      healthAddress: health?.address,
      metricsAddress: figures?.address,
      store: shownStore(config.store),
      dmdAddress: parts.dmd.address,
    },
    'trainer ready',
  );
  if (config.once && worker !== undefined) {
    void stopping.then(() => worker.stop(config.drainSeconds * 1_000, whyStopped(config)));
    return await trainOnce(worker, store, log, config);
  }
  const why = await stopping;
  log.info({ why }, 'stopping');
  return 0;
}

/** Before anyone can ask for something new. Who has the store for itself has outlived all who trained. */
async function lookForLost({ config, log, cleanUp }: Start, parts: Parts): Promise<void> {
  const { maxWorkerDeaths, leaseSeconds } = config;
  await takeUpLost({ ...parts, log }, { everyone: !parts.notices.shared, maxWorkerDeaths });
  cleanUp.use(keepTakingUp({ ...parts, log }, { leaseMs: leaseSeconds * 1_000, maxWorkerDeaths }));
}

interface Stopped {
  readonly server: ApiServer | undefined;
  readonly worker: TrialWorker | undefined;
  readonly health: HealthServer | undefined;
}

function stopInOrder({ config, cleanUp }: Start, { server, worker, health }: Stopped): void {
  // Before the server, so that watchers are told what becomes of their trials.
  cleanUp.defer(() => worker?.stop(config.drainSeconds * 1_000, whyStopped(config)));
  // Whoever balances load sends nobody here while trials train to their boundaries.
  cleanUp.defer(() => server?.retire());
  cleanUp.defer(() => health?.retire());
}

const whyStopped = ({ role }: Pick<Config, 'role'>): string =>
  role === 'worker' ? 'the worker stopped' : 'the server stopped';

/** In bytes; 0, for none, where the system does not tell what a process takes. */
function memoryLimit({ maxTrialMemoryBytes }: Config, log: Logger): number {
  if (maxTrialMemoryBytes === 0 || usageIsKnown()) return maxTrialMemoryBytes;
  log.warn('--max-trial-memory-bytes is off: this system has no /proc, which tells what a process takes');
  return 0;
}

/** Resolves at the first reason to stop. */
function stopRequested(exitWithStdin: boolean): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal));
    if (exitWithStdin) process.stdin.resume().once('end', () => resolve('standard input closed'));
  });
}
