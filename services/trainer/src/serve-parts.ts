/** What a process of the trainer has whatever its role: the store, the ways to others, and what is told of it all. */

import type { Logger } from 'pino';
import type { ArtifactRoot } from './artifact/folder.ts';
import { setUpAtFirstStart } from './backend/first-start.ts';
import { chooseBackend } from './backend/select.ts';
import type { CheckpointRoot } from './checkpoint/kept.ts';
import { isDatabase } from './config/database.ts';
import type { Config } from './config.ts';
import type { DmdConnection } from './dmd/connection.ts';
import { DmdWatch } from './dmd/info.ts';
import { DmdProcess } from './dmd/process.ts';
import { DriveDesk } from './drive/desk.ts';
import { keepCatchingUp } from './events/catch-up.ts';
import { EventHub } from './events/hub.ts';
import { measured } from './metrics/measured-store.ts';
import { Metrics } from './metrics/metrics.ts';
import type { Notices } from './notices/notices.ts';
import { keepSweeping, sweep } from './queue/sweep.ts';
import { readNamed } from './security/files.ts';
import { openPlaces, sessionsOf } from './serve-places.ts';
import { openNotices } from './store/notices.ts';
import { openStore } from './store/open.ts';
import type { Store } from './store/store.ts';
import { StudyTraces } from './tracing/study-traces.ts';
import { openTracing, type Tracing } from './tracing/tracing.ts';
import { tracingSettings } from './tracing/variables.ts';

/** The stop waits so long at most for its last spans to be sent. */
const FLUSH_WITHIN_MS = 2_000;

/** What a process was started with. */
export interface Start {
  readonly config: Config;
  readonly version: string;
  readonly log: Logger;
  /** What is opened is closed by it, in the opposite order. */
  readonly cleanUp: AsyncDisposableStack;
}

export interface Parts {
  readonly store: Store;
  readonly checkpoints: CheckpointRoot;
  readonly artifacts: ArtifactRoot;
  readonly dmd: DmdConnection;
  readonly dmdWatch: DmdWatch;
  readonly notices: Notices;
  readonly hub: EventHub;
  readonly desk: DriveDesk;
  /** In words. */
  readonly backend: string;
  /** Undefined where nobody looks. */
  readonly metrics: Metrics | undefined;
  /** Undefined where there are no spans. */
  readonly tracing: Tracing | undefined;
  readonly studyTraces: StudyTraces | undefined;
}

/** @throws StoreError, ObjectStoreError, DmdStartError, DmdConnectionError, and ConfigError for a variable of OpenTelemetry. */
export async function openParts({ config, version, log, cleanUp }: Start): Promise<Parts> {
  const warn = (line: string) => log.warn(line);
  if (config.dmd === undefined) DmdProcess.require(config.dmdBinary);
  await setUpAtFirstStart({ backend: config.backend, log: warn });
  const backend = chooseBackend(config.backend).description;
  const { storePasswordFile } = config;
  if (storePasswordFile !== undefined)
    await readNamed({ setting: 'storePasswordFile', path: storePasswordFile });
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
  const metrics =
    config.metricsListen === undefined
      ? undefined
      : new Metrics({ version, backend }, async () => ({
          storeWritable: opened.health.writable,
          dmdReachable: dmdWatch.status.reachable,
          ...(await opened.countStates()),
        }));
  const store = metrics === undefined ? opened : measured(opened, metrics);
  tellOfHealth(store, log);
  const places = await openPlaces(config, cleanUp);
  const sweepParts = { store, ...places, log };
  const isShared = isDatabase(config.store) || config.objectsLocation !== undefined;
  if (isShared) cleanUp.use(keepSweeping(sweepParts));
  else await sweep(sweepParts, 0);
  const dmd = config.dmd ?? (await startDmd({ config, log, cleanUp }));
  const dmdWatch = await DmdWatch.start(dmd, log);
  cleanUp.defer(() => dmdWatch.close());
  const notices = await openNotices(config.store, { passwordFile: config.storePasswordFile }, log);
  cleanUp.defer(() => notices.close());
  const hub = new EventHub(notices);
  if (notices.shared) cleanUp.use(keepCatchingUp({ store, hub, log }));
  const desk = new DriveDesk({ store, hub, notices, log });
  return {
    ...{ store, ...places, dmd, dmdWatch, notices, hub, desk, backend, metrics, tracing },
    studyTraces: tracing && new StudyTraces(),
  };
}

function tellOfHealth({ health }: Pick<Store, 'health'>, log: Logger): void {
  health.onChange(() => {
    const { reason } = health;
    if (reason === undefined) log.info('the store can write again');
    else log.error({ reason }, 'nothing can be stored for now: no trial starts, and those that run wait');
  });
}

/** A child of ours. @throws DmdStartError */
async function startDmd({ config, log, cleanUp }: Omit<Start, 'version'>): Promise<DmdConnection> {
  const child = await DmdProcess.start(config.dmdBinary, log);
  cleanUp.defer(() => child.stop());
  return { address: child.address };
}
