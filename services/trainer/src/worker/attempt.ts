/** One attempt at training a trial: what its training process is told, and what becomes of what it tells. */

import { Decision, OuterStep, Study, Trial } from '@glocal/proto/glocal/v1/study';
import type { Logger } from 'pino';
import type { ArtifactRoot } from '../artifact/folder.ts';
import { type CheckpointRoot, TrialCheckpoints } from '../checkpoint/kept.ts';
import { CheckpointSpace } from '../checkpoint/space.ts';
import type { DmdConnection } from '../dmd/connection.ts';
import type { DriveDesk } from '../drive/desk.ts';
import type { EventHub } from '../events/hub.ts';
import { PausedError } from '../lifecycle/transitions.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { ObjectStoreError } from '../objects/errors.ts';
import { untilThere } from '../objects/until-there.ts';
import { asComplete } from '../resource/complete-study.ts';
import { isArtifactName } from '../resource/names.ts';
import type { StartedTrial, Store } from '../store/store.ts';
import { untilStored } from '../store/until-stored.ts';
import { studyOfTrial } from '../study/trial-study.ts';
import type { Span } from '../tracing/tracing.ts';
import { answerAsk } from './asked-checkpoints.ts';
import type { StartMessage } from './messages.ts';
import { endingOf, leftBecause, type Outcome } from './outcome.ts';
import { TrainingProcess } from './process.ts';
import type { WatchdogLimits } from './watchdog.ts';

export interface AttemptOptions {
  /** Of the trainer. */
  readonly version: string;
  readonly dmd: DmdConnection;
  readonly dmdRetryBudgetMs: number;
  readonly modelDir: string | undefined;
  readonly problemDir: string | undefined;
  readonly backend: StartMessage['backend'];
  readonly maxCheckpointBytes: number;
}

export interface AttemptParts {
  readonly store: Store;
  readonly hub: EventHub;
  /** Has study and trial in every line. */
  readonly log: Logger;
  readonly checkpoints: CheckpointRoot;
  readonly artifacts: ArtifactRoot;
  /** Of trials that are driven. */
  readonly desk: DriveDesk;
  readonly options: AttemptOptions;
  /** Of a training process. */
  readonly limits: WatchdogLimits;
  /** Undefined where nobody looks. */
  readonly metrics?: Metrics | undefined;
  /** Undefined where there are no spans. */
  readonly span: Span | undefined;
}

/** What interrupts the training of a trial. The reason of each says why, for people. */
export interface StopSignals {
  /** Its process is ended now: the window that it trains is lost. */
  readonly now: AbortSignal;
  /** Its process leaves it at the next outer-step boundary. */
  readonly atBoundary: AbortSignal;
}

/**
 * Resolves with what becomes of the trial, once its process is gone.
 * @throws the reason of `stop.now`; TrainingProcessError, MemoryLimitError, NoDecisionError, PausedError, and the store's errors.
 */
export async function train(
  { store, hub, log, checkpoints, artifacts, desk, options, limits, metrics, span }: AttemptParts,
  { claim, study, trial, checkpoint }: StartedTrial,
  { now: stop, atBoundary }: StopSignals,
): Promise<Outcome> {
  stop.throwIfAborted();
  if (atBoundary.aborted) return leftBecause(atBoundary);
  await fetchArtifacts(artifacts, store, study, trial);
  stop.throwIfAborted();
  const storedBy =
    trial.outerStepsDone === 0
      ? []
      : await untilStored(store.health, () => store.listOuterStepEpochs(claim.trial), stop);
  stop.throwIfAborted();
  const { location } = checkpoints.objects;
  const own = new TrialCheckpoints(checkpoints.objects, claim.trial, claim.epoch);
  const room = new CheckpointSpace(checkpoints.objects, options.maxCheckpointBytes);
  const environment = location.kind === 's3' ? 'trainingWithS3' : 'training';
  const process = new TrainingProcess(log, limits, environment);
  metrics?.processBegan(claim.trial, trial.stepsDone);
  const kill = () => void process.kill();
  const leave = () => process.leave();
  stop.addEventListener('abort', kill, { once: true });
  atBoundary.addEventListener('abort', leave, { once: true });
  const save = async (write: () => Promise<unknown>) => {
    await untilStored(store.health, write, stop);
    hub.changed(study.name);
  };
  try {
    const start = startMessage(study, trial, options, {
      checkpoints: location.kind === 'database' ? undefined : location,
      artifactDir: artifacts.path,
      epoch: claim.epoch,
      checkpoint,
      storedBy,
      trace: span?.context,
    });
    const ended = await process.run(start, {
      started: ({ backend, datasetSha256, notes }) => {
        if (notes.length > 0) log.warn({ notes }, 'a trial goes on otherwise than it was');
        const stateReason = [trial.stateReason, ...notes].filter((text) => text !== '').join('; ');
        return save(() => store.describeRuntime(claim, { backend, datasetSha256, stateReason }));
      },
      usage: ({ memoryBytes }) => metrics?.memory(claim.trial, memoryBytes),
      alive: ({ leavesDmdAlone }) => metrics?.circuit(claim.trial, leavesDmdAlone),
      checkpoint: ({ bytes }) => metrics?.checkpoint(bytes),
      // While their database is away, so is the store: they wait as outer steps do.
      checkpoints: (ask, gone) => untilThere(() => answerAsk(own, room, ask), AbortSignal.any([gone, stop])),
      warning: (warning) => log.warn({ warning }, 'training process'),
      progress: (stepsDone) => {
        metrics?.progress(claim.trial, stepsDone);
        hub.progressed({ trial: claim.trial, stepsDone, steps: totalSteps(study) });
      },
      proposal: async ({ outerStep, givesUp, sound }, gone) => {
        const proposal = { outerStep: OuterStep.decode(outerStep), givesUp, sound };
        return Decision.encode(
          await desk.decide(claim, study, proposal, AbortSignal.any([gone, atBoundary])),
        ).finish();
      },
      outerStep: async (encoded) => {
        const outerStep = OuterStep.decode(encoded);
        const { index, update } = outerStep;
        if (update?.fellBack) {
          log.warn({ index, reason: update.reason }, 'a window used the local hypergradient');
        }
        metrics?.progress(claim.trial, outerStep.step);
        await save(() => store.addOuterStep(claim, outerStep));
        metrics?.outerStep(outerStep);
        desk.settled(claim.trial, outerStep);
      },
    });
    return endingOf(ended, atBoundary);
  } finally {
    metrics?.processEnded(claim.trial);
    stop.removeEventListener('abort', kill);
    atBoundary.removeEventListener('abort', leave);
  }
}

/**
 * Makes the files of what a trial names be on this machine.
 * @throws PausedError when they are kept elsewhere and cannot be had now; ArtifactError when they are gone or damaged.
 */
async function fetchArtifacts(
  artifacts: ArtifactRoot,
  store: Pick<Store, 'getArtifact'>,
  study: Study,
  trial: Trial,
): Promise<void> {
  const { dataset, model } = studyOfTrial(asComplete(study), trial).problem;
  for (const name of [dataset, model].filter(isArtifactName)) {
    const stored = await store.getArtifact(name);
    if (stored === undefined) continue;
    await artifacts.fetch(stored.artifact).catch((error: unknown) => {
      if (!(error instanceof ObjectStoreError)) throw error;
      const why = `the files of ${name} cannot be read: ${error.message}`;
      throw new PausedError({ why, cause: 'machine' });
    });
  }
}

function startMessage(
  study: Study,
  trial: Trial,
  options: AttemptOptions,
  from: Pick<StartMessage, 'checkpoints' | 'artifactDir' | 'epoch' | 'checkpoint' | 'storedBy' | 'trace'>,
): StartMessage {
  return {
    type: 'start',
    study: Study.encode(study).finish(),
    trial: Trial.encode(trial).finish(),
    ...from,
    ...options,
  };
}

/** Inner steps of a trial; GLOBAL trains more than once. */
const totalSteps = ({ training, method }: Study): number => (training?.steps ?? 0) * (method?.trainings || 1);
