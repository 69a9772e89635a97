/** The part of a process that serves the API. */

import { type ApiServer, startServer } from './api/server.ts';
import type { Config } from './config.ts';
import { DmdClient } from './dmd/client.ts';
import type { DmdWatch } from './dmd/info.ts';
import type { TrialQueue } from './queue/queue.ts';
import { MAX_MESSAGE_BYTES } from './resource/message-size.ts';
import { openSecurity, type Security } from './security/security.ts';
import type { Parts, Start } from './serve-parts.ts';
import { type Catalogue, loadCatalogue } from './study/catalogue.ts';
import { Modules } from './worker/modules.ts';

/** What is looked at before anything is opened, because it may be wrong. */
export interface Offered {
  readonly security: Security;
  readonly modules: Modules;
  readonly catalogue: Catalogue;
}

/** @throws ConfigError for a file that the settings name; ModelError, ProblemError for what is in their folders. */
export async function openOffered({ config, log, cleanUp }: Start): Promise<Offered> {
  const warn = (line: string) => log.warn(line);
  const { modelDir, problemDir, backend } = config;
  return {
    security: cleanUp.use(await openSecurity(config, log)),
    modules: await Modules.open({ folder: problemDir, backend }, warn),
    catalogue: await loadCatalogue({ modelDir, log: warn }),
  };
}

export interface ServerOptions extends Offered {
  readonly queue: TrialQueue;
  /** Resident memory of a training process; 0 for no limit. */
  readonly memoryBytes: number;
}

/** @throws ListenError */
export async function openServer(
  { config, version, log, cleanUp }: Start,
  parts: Parts,
  { memoryBytes, ...more }: ServerOptions,
): Promise<ApiServer> {
  const { store, hub, notices, desk, dmd, dmdWatch, artifacts, checkpoints, backend } = parts;
  const { metrics, tracing, studyTraces } = parts;
  const windows = new DmdClient(dmd, config.dmdRetrySeconds * 1_000, undefined, tracing);
  cleanUp.defer(() => windows.close());
  return startServer(config.listen, {
    ...{ ...more, store, hub, notices, desk, windows, artifacts, checkpoints },
    ...{ metrics, tracing, studyTraces, log, dmd: dmdWatch, uploadIdleSeconds: config.uploadIdleSeconds },
    info: {
      ...{ version, backend, dmdAddress: dmd.address, caller: undefined },
      get dmd() {
        return dmdWatch.status;
      },
      limits: limitsOf(config, dmdWatch, memoryBytes),
    },
  });
}

/** As clients are told. */
const limitsOf = (config: Config, dmdWatch: DmdWatch, memoryBytes: number) => ({
  maxSteps: config.maxSteps,
  maxTrials: config.maxTrials,
  maxActiveStudies: config.maxActiveStudies,
  maxOwnerActiveStudies: config.maxOwnerActiveStudies,
  maxWatchers: config.maxWatchers,
  maxWatchBytes: config.maxWatchBytes,
  maxMessageBytes: MAX_MESSAGE_BYTES,
  maxRunningTrials: config.maxRunningTrials,
  maxStudies: config.maxStudies,
  maxDrivers: config.maxDrivers,
  maxArtifactBytes: BigInt(config.maxArtifactBytes),
  maxOwnerArtifactBytes: BigInt(config.maxOwnerArtifactBytes),
  maxTrialMemoryBytes: BigInt(memoryBytes),
  maxCheckpointBytes: BigInt(config.maxCheckpointBytes),
  // As the DMD service says at the time: one that comes back may be another one.
  get maxWindowRows() {
    return dmdWatch.limits.maxRows;
  },
  get maxComponents() {
    return dmdWatch.limits.maxComponents;
  },
});
