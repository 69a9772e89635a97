#!/usr/bin/env node
/** The trainer's server process. */

import { readFileSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Logger, pino } from 'pino';
import { serveHealth } from './api/health-server.ts';
import { startServer } from './api/server.ts';
import { ArtifactRoot } from './artifact/folder.ts';
import { setUpAtFirstStart } from './backend/first-start.ts';
import { chooseBackend } from './backend/select.ts';
import { CheckpointRoot } from './checkpoint/kept.ts';
import { discardUnlessNeeded } from './checkpoint/tidy.ts';
import { check } from './commands/check.ts';
import { data } from './commands/data.ts';
import { CommandError, SOFTWARE, UNAVAILABLE } from './commands/exit.ts';
import { trainOnce } from './commands/once.ts';
import { setup } from './commands/setup.ts';
import { token } from './commands/token.ts';
import { isDatabase, parseDatabase, shownStore } from './config/database.ts';
import { filesBeside } from './config/store.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { DmdClient } from './dmd/client.ts';
import { DmdConnectionError } from './dmd/connection.ts';
import { DmdWatch } from './dmd/info.ts';
import { DmdProcess, DmdStartError } from './dmd/process.ts';
import { DriveDesk } from './drive/desk.ts';
import { keepCatchingUp } from './events/catch-up.ts';
import { EventHub } from './events/hub.ts';
import { measured } from './metrics/measured-store.ts';
import { Metrics } from './metrics/metrics.ts';
import { serveMetrics } from './metrics/server.ts';
import { ModelError } from './model/errors.ts';
import { ObjectStoreError } from './objects/errors.ts';
import { type ObjectsLocation, within } from './objects/location.ts';
import { openObjects } from './objects/open.ts';
import { ProblemError } from './problem/errors.ts';
import { usageIsKnown } from './process/usage.ts';
import { keepTakingUp, takeUpLost } from './queue/lost-trials.ts';
import { TrialQueue } from './queue/queue.ts';
import { resumeWithDmd } from './queue/resume-with-dmd.ts';
import { resumeWithObjects } from './queue/resume-with-objects.ts';
import { keepDeleting } from './queue/retention.ts';
import { keepSweeping, sweep } from './queue/sweep.ts';
import { TrialWorker } from './queue/worker.ts';
import { workerName } from './queue/worker-name.ts';
import { ListenError } from './resource/listen-error.ts';
import { MAX_MESSAGE_BYTES } from './resource/message-size.ts';
import { openSecurity } from './security/security.ts';
import { StoreError } from './store/errors.ts';
import { openNotices } from './store/notices.ts';
import { fileOf, openStore } from './store/open.ts';
import { loadCatalogue } from './study/catalogue.ts';
import { StudyTraces } from './tracing/study-traces.ts';
import { openTracing } from './tracing/tracing.ts';
import { tracingSettings } from './tracing/variables.ts';
import { Modules } from './worker/modules.ts';
import { superviseTrial } from './worker/supervisor.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** The stop of the server waits so long at most for its last spans to be sent. */
const FLUSH_WITHIN_MS = 2_000;

/** Resolves with the exit code. */
async function serve(args: readonly string[]): Promise<number> {
  const config = readConfig(args, version);
  const log = pino({ level: config.logLevel }, pino.destination({ dest: 2, sync: true }));
  if (config.ignoredVariables.length > 0) {
    log.warn(
      { variables: config.ignoredVariables },
      'variables left aside: Kubernetes makes them for a Service whose name begins with glocal',
    );
  }

  const cleanUp = new AsyncDisposableStack();
  try {
    const warn = (line: string) => log.warn(line);
    const { role, modelDir, problemDir, backend } = config;
    const offered =
      role === 'worker'
        ? undefined
        : {
            security: cleanUp.use(await openSecurity(config, log)),
            modules: await Modules.open({ folder: problemDir, backend }, warn),
            catalogue: await loadCatalogue({ modelDir, log: warn }),
          };
    if (config.dmd === undefined) DmdProcess.require(config.dmdBinary);
    await setUpAtFirstStart({ backend, log: warn });
    const backendInfo = chooseBackend(backend);
    const opened = await openStore(config.store, {
      waitMs: (config.storeWaitSeconds ?? 0) * 1_000,
      ...sessionsOf(config),
    });
    cleanUp.defer(() => opened.close());
    const tracing = await openTracing(tracingSettings(process.env), {
      version,
      closeWithinMs: FLUSH_WITHIN_MS,
      warn,
    });
    cleanUp.defer(async () => tracing?.close());
    const studyTraces = tracing && new StudyTraces();
    const metrics =
      config.metricsListen === undefined
        ? undefined
        : new Metrics({ version, backend: backendInfo.description }, async () => ({
            storeWritable: opened.health.writable,
            dmdReachable: dmdWatch.status.reachable,
            ...(await opened.countStates()),
          }));
    const store = metrics === undefined ? opened : measured(opened, metrics);
    store.health.onChange(() => {
      const { reason } = store.health;
      if (reason === undefined) log.info('the store can write again');
      else log.error({ reason }, 'nothing can be stored for now: no trial starts, and those that run wait');
    });
    const { checkpoints, artifacts } = await openPlaces(config, cleanUp);
    const sweepParts = { store, checkpoints, artifacts, log };
    const isShared = isDatabase(config.store) || config.objectsLocation !== undefined;
    if (isShared) cleanUp.use(keepSweeping(sweepParts));
    else await sweep(sweepParts, 0);
    let { dmd } = config;
    if (dmd === undefined) {
      const child = await DmdProcess.start(config.dmdBinary, log);
      cleanUp.defer(() => child.stop());
      dmd = { address: child.address };
    }
    const dmdWatch = await DmdWatch.start(dmd, log);
    cleanUp.defer(() => dmdWatch.close());
    const notices = await openNotices(config.store, { passwordFile: config.storePasswordFile }, log);
    cleanUp.defer(() => notices.close());
    const hub = new EventHub(notices);
    if (notices.shared) cleanUp.use(keepCatchingUp({ store, hub, log }));
    const desk = new DriveDesk({ store, hub, notices, log });
    const { maxRunningTrials, maxOwnerRunningTrials, maxCheckpointBytes } = config;
    const leaseMs = config.leaseSeconds * 1_000;
    const dmdRetryBudgetMs = config.dmdRetrySeconds * 1_000;
    const windows = new DmdClient(dmd, dmdRetryBudgetMs, undefined, tracing);
    cleanUp.defer(() => windows.close());
    const folders = { modelDir, problemDir };
    const options = { version, dmd, dmdRetryBudgetMs, ...folders, backend, maxCheckpointBytes };
    const limits = { memoryBytes: memoryLimit(config, log), silenceMs: config.trialSilenceSeconds * 1_000 };
    const shared = { store, hub, notices };
    const name = workerName(config.workerName);
    const supervision = { ...{ store, hub, log, checkpoints, artifacts, desk, options, limits, metrics } };
    const worker =
      role === 'server'
        ? undefined
        : new TrialWorker({
            ...{ ...shared, log, name, leaseMs, maxRunningTrials, maxOwnerRunningTrials },
            train: (started, stop) =>
              superviseTrial({ ...supervision, others: notices.shared, tracing, studyTraces }, started, stop),
          });
    const dropped = (trial: string) => discardUnlessNeeded(store, checkpoints, trial, log);
    const queue = new TrialQueue({ ...shared, worker, dropped });
    // Before anyone can ask for something new. Who has the store for itself has outlived all who trained.
    await takeUpLost({ ...shared, log }, !notices.shared);
    cleanUp.use(keepTakingUp({ ...shared, log }, leaseMs));
    const server =
      offered &&
      (await startServer(config.listen, {
        ...offered,
        store,
        hub,
        notices,
        queue,
        desk,
        windows,
        dmd: dmdWatch,
        artifacts,
        uploadIdleSeconds: config.uploadIdleSeconds,
        checkpoints,
        metrics,
        tracing,
        studyTraces,
        log,
        info: {
          version,
          backend: backendInfo.description,
          dmdAddress: dmd.address,
          get dmd() {
            return dmdWatch.status;
          },
          caller: undefined,
          limits: {
            maxSteps: config.maxSteps,
            maxTrials: config.maxTrials,
            maxActiveStudies: config.maxActiveStudies,
            maxOwnerActiveStudies: config.maxOwnerActiveStudies,
            maxWatchers: config.maxWatchers,
            maxWatchBytes: config.maxWatchBytes,
            maxMessageBytes: MAX_MESSAGE_BYTES,
            maxRunningTrials,
            maxStudies: config.maxStudies,
            maxDrivers: config.maxDrivers,
            maxArtifactBytes: BigInt(config.maxArtifactBytes),
            maxOwnerArtifactBytes: BigInt(config.maxOwnerArtifactBytes),
            maxTrialMemoryBytes: BigInt(limits.memoryBytes),
            maxCheckpointBytes: BigInt(config.maxCheckpointBytes),
            // As the DMD service says at the time: one that comes back may be another one.
            get maxWindowRows() {
              return dmdWatch.limits.maxRows;
            },
            get maxComponents() {
              return dmdWatch.limits.maxComponents;
            },
          },
        },
      }));
    cleanUp.defer(() => server?.stop());
    const health =
      config.healthListen === undefined
        ? undefined
        : cleanUp.use(await serveHealth(config.healthListen, { store, dmd: dmdWatch }));
    // Stopped before the server, so that watchers are told what becomes of their trials.
    cleanUp.defer(() => worker?.stop(config.drainSeconds * 1_000, whyStopped(role)));
    // Whoever balances load sends nobody here while trials train to their boundaries.
    cleanUp.defer(() => server?.retire());
    cleanUp.defer(() => health?.retire());
    if (server !== undefined) cleanUp.use(keepDeleting({ store, hub, checkpoints, log }, config));
    if (!config.once) worker?.start();
    // Trials wait for the services of those who train them.
    if (worker !== undefined) {
      cleanUp.defer(resumeWithDmd({ store, queue, dmd: dmdWatch, log }));
      cleanUp.defer(resumeWithObjects({ store, queue, objects: checkpoints.objects, log }));
    }
    const figures =
      metrics && config.metricsListen
        ? cleanUp.use(await serveMetrics(config.metricsListen, metrics, log))
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
        dmdAddress: dmd.address,
      },
      'trainer ready',
    );
    if (config.once && worker !== undefined) {
      void stopping.then(() => worker.stop(config.drainSeconds * 1_000, whyStopped(role)));
      return await trainOnce(worker, store, log);
    }
    const why = await stopping;
    log.info({ why }, 'stopping');
    return 0;
  } finally {
    await cleanUp.disposeAsync();
  }
}

/** Where checkpoints and uploads are: beside the store or in it, or where the settings say. @throws ObjectStoreError */
async function openPlaces(config: Config, cleanUp: AsyncDisposableStack) {
  const { objectsLocation: elsewhere } = config;
  const database = isDatabase(config.store)
    ? { database: parseDatabase(config.store), ...sessionsOf(config) }
    : undefined;
  const file = isDatabase(config.store) ? filesBeside(config) : fileOf(config.store);
  const beside = async (what: string) =>
    file === undefined
      ? cleanUp.use(await mkdtempDisposable(join(tmpdir(), `glocal-${what}-`))).path
      : `${resolve(file)}.${what}`;
  const open = async (location: ObjectsLocation) => {
    const objects = await openObjects(location, database);
    cleanUp.defer(() => objects.close());
    if (elsewhere) await objects.check();
    return objects;
  };
  const checkpoints = elsewhere
    ? within(elsewhere, 'checkpoints')
    : ({ kind: 'folder', path: await beside('checkpoints') } as const);
  return {
    checkpoints: new CheckpointRoot(await open(checkpoints)),
    artifacts: new ArtifactRoot(
      await beside('artifacts'),
      elsewhere && (await open(within(elsewhere, 'artifacts'))),
    ),
  };
}

/** Of a database. */
const sessionsOf = (config: Config) => ({
  passwordFile: config.storePasswordFile,
  sessions: config.storeConnections,
  statementMs: config.storeStatementSeconds * 1_000,
});

const whyStopped = (role: Config['role']): string =>
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

const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  token,
  setup,
  data,
  check: (args) => check(args, (given) => readConfig(given, version)),
};

try {
  const [first = '', ...others] = process.argv.slice(2);
  const command = Object.hasOwn(COMMANDS, first) ? COMMANDS[first] : undefined;
  if (command === undefined) process.exit(await serve(process.argv.slice(2)));
  await command(others);
  process.exit(0);
} catch (error) {
  if (error instanceof ConfigError || error instanceof CommandError) {
    if (error.message !== '') process.stderr.write(`glocal-trainer: ${error.message}\n`);
    process.exit(error.exitCode);
  }
  const expected = [
    ...[ListenError, StoreError, ObjectStoreError, DmdStartError, DmdConnectionError],
    ...[ModelError, ProblemError],
  ];
  if (expected.some((kind) => error instanceof kind)) {
    process.stderr.write(`glocal-trainer: ${(error as Error).message}\n`);
    process.exit(UNAVAILABLE);
  }
  // The line that says what happened comes last, where whoever started the trainer looks for it.
  process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
  process.stderr.write(
    `glocal-trainer: unexpected error: ${error instanceof Error ? error.message : error}\n`,
  );
  process.exit(SOFTWARE);
}
