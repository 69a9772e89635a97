/** The part of a process that trains. */

import type { TrialQueue } from './queue/queue.ts';
import { resumeWithDmd } from './queue/resume-with-dmd.ts';
import { resumeWithObjects } from './queue/resume-with-objects.ts';
import { TrialWorker } from './queue/worker.ts';
import type { Parts, Start } from './serve-parts.ts';
import { superviseTrial } from './worker/supervisor.ts';

export interface WorkerOptions {
  /** Which no other worker has. */
  readonly name: string;
  /** Resident memory of a training process; 0 for no limit. */
  readonly memoryBytes: number;
}

/** Trains nothing yet. */
export function makeWorker(
  { config, version, log }: Start,
  parts: Parts,
  { name, memoryBytes }: WorkerOptions,
): TrialWorker {
  const { store, hub, notices, checkpoints, artifacts, desk, dmd, metrics, tracing, studyTraces } = parts;
  const { modelDir, problemDir, backend, maxRunningTrials, maxOwnerRunningTrials, maxCheckpointBytes } =
    config;
  const dmdRetryBudgetMs = config.dmdRetrySeconds * 1_000;
  const options = { version, dmd, dmdRetryBudgetMs, modelDir, problemDir, backend, maxCheckpointBytes };
  const limits = { memoryBytes, silenceMs: config.trialSilenceSeconds * 1_000 };
  const supervision = {
    ...{ store, hub, log, checkpoints, artifacts, desk, options, limits, metrics, tracing, studyTraces },
    others: notices.shared,
  };
  return new TrialWorker({
    ...{ store, hub, notices, log, name, maxRunningTrials, maxOwnerRunningTrials },
    leaseMs: config.leaseSeconds * 1_000,
    train: (started, stop) => superviseTrial(supervision, started, stop),
  });
}

/** Trials wait for the services of those who train them, and go on when these are there again. */
export function keepResuming({ log, cleanUp }: Start, parts: Parts, queue: TrialQueue): void {
  const { store, dmdWatch: dmd, checkpoints } = parts;
  cleanUp.defer(resumeWithDmd({ store, queue, dmd, log }));
  cleanUp.defer(resumeWithObjects({ store, queue, objects: checkpoints.objects, log }));
}
