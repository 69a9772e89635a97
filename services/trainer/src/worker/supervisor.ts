/**
 * Trains a claimed trial to its end, or until it is interrupted: its training process belongs to it from the fork on, and
 * what it tells is stored.
 */

import { Decision, OuterStep, Study, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import type { Logger } from 'pino';
import type { CheckpointRoot } from '../checkpoint/folder.ts';
import { discardUnlessNeeded } from '../checkpoint/tidy.ts';
import type { DmdConnection } from '../dmd/connection.ts';
import { type DriveDesk, NoDecisionError } from '../drive/desk.ts';
import type { EventHub } from '../events/hub.ts';
import { PausedError } from '../lifecycle/transitions.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { StoreUnavailableError } from '../store/errors.ts';
import type { StoreHealth } from '../store/health.ts';
import { isLost } from '../store/lost.ts';
import type { StartedTrial, Store } from '../store/store.ts';
import type { StudyTraces } from '../tracing/study-traces.ts';
import type { Span, Tracing } from '../tracing/tracing.ts';
import type { StartMessage } from './messages.ts';
import { endingOf, isFailure, leftBecause, type Outcome, outcomeName } from './outcome.ts';
import { MemoryLimitError, TrainingProcess, TrainingProcessError } from './process.ts';
import type { WatchdogLimits } from './watchdog.ts';

/** So often a training process may die at one outer step. */
const MAX_CRASHES = 3;

export interface SupervisorOptions {
  /** Of the trainer. */
  readonly version: string;
  readonly dmd: DmdConnection;
  readonly dmdRetryBudgetMs: number;
  readonly modelDir: string | undefined;
  readonly artifactDir: string;
  readonly problemDir: string | undefined;
  readonly backend: StartMessage['backend'];
  readonly maxCheckpointBytes: number;
}

export interface SupervisorParts {
  readonly store: Store;
  readonly hub: EventHub;
  readonly log: Logger;
  readonly checkpoints: CheckpointRoot;
  /** Of trials that are driven. */
  readonly desk: DriveDesk;
  readonly options: SupervisorOptions;
  /** Of a training process. */
  readonly limits: WatchdogLimits;
  /** Undefined where nobody looks. */
  readonly metrics?: Metrics | undefined;
  /** Undefined where there are no spans. */
  readonly tracing?: Tracing | undefined;
  readonly studyTraces?: StudyTraces | undefined;
}

/** Of one attempt; its log has study and trial in every line. */
interface AttemptParts extends SupervisorParts {
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
 * Resolves when the trial has ended, waits to go on or is PAUSED, and its process is gone. While the store cannot write, what
 * has to be stored is kept, and the process waits.
 * @throws StoreUnavailableError when it is stopped while that cannot be stored.
 */
export async function superviseTrial(
  all: SupervisorParts,
  started: StartedTrial,
  stop: StopSignals,
): Promise<void> {
  const { claim, study } = started;
  const span = beginAttempt(all, started);
  const ids = { study: study.name, trial: claim.trial, ...(span && { traceId: span.traceId }) };
  const parts = { ...all, log: all.log.child(ids), span };
  const { store, hub, log, checkpoints } = parts;
  try {
    const outcome = await train(parts, started, stop).catch((error) =>
      afterError(parts, started, stop, error),
    );
    const write = (): Promise<unknown> => {
      if ('cause' in outcome) return store.pauseTrial(claim, outcome);
      return 'why' in outcome ? store.interruptTrial(claim, outcome) : store.endTrial(claim, outcome);
    };
    await untilStored(store.health, write, stop.now);
    parts.metrics?.attemptEnded(outcomeName(outcome));
    span?.set({ 'glocal.outcome': outcomeName(outcome) });
    span?.end(isFailure(outcome) ? '' : undefined);
  } catch (error) {
    span?.end(isLost(error) ? undefined : 'what became of the trial could not be stored');
    if (!isLost(error)) throw error;
    log.debug({ err: error }, 'the trial is no longer ours');
  } finally {
    hub.forget(study.name, claim.trial);
    hub.changed(study.name);
    await discardUnlessNeeded(store, checkpoints, claim.trial, all.log);
  }
}

/** In the trace of the call that made the study, as long as that is known. */
const beginAttempt = ({ tracing, studyTraces }: SupervisorParts, { study, trial }: StartedTrial) =>
  tracing?.begin('glocal.trial', {
    parent: studyTraces?.of(study.name),
    attributes: {
      'glocal.study': study.name,
      'glocal.trial': trial.name,
      'glocal.attempt': trial.attempts,
    },
  });

/** What becomes of a trial that did not come to its end by itself. */
async function afterError(
  { store, log }: SupervisorParts,
  { claim: { trial } }: StartedTrial,
  { now, atBoundary }: StopSignals,
  error: unknown,
): Promise<Outcome> {
  if (now.aborted) return { why: String(now.reason), crashed: false };
  // It waited for a decision, and its window is proposed again; or whoever stops the server has ended the process, too.
  const isLeft = error === atBoundary.reason || error instanceof TrainingProcessError;
  if (atBoundary.aborted && isLeft) return leftBecause(atBoundary);
  if (error instanceof NoDecisionError) return { why: error.message, cause: 'decision' };
  if (error instanceof PausedError) return error.pause;
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof MemoryLimitError) {
    log.warn({ reason }, 'a training process took too much memory');
    return { state: TrialState.FAILED, reason: `${reason}; its checkpoints are kept` };
  }
  if (!(error instanceof TrainingProcessError)) {
    if (!isLost(error)) log.error({ err: error }, 'trial failed');
    return { state: TrialState.FAILED, reason };
  }
  const { crashes = 0, outerStepsDone = 0 } = (await store.getTrial(trial)) ?? {};
  log.warn({ reason, outerStepsDone, crashes: crashes + 1 }, 'a training process has died');
  if (crashes + 1 < MAX_CRASHES) return { why: reason, crashed: true };
  const last = `for the ${MAX_CRASHES}rd time at outer step ${outerStepsDone + 1}`;
  return { state: TrialState.FAILED, reason: `${reason}, ${last}; its checkpoints are kept` };
}

async function train(
  { store, hub, log, checkpoints, desk, options, limits, metrics, span }: AttemptParts,
  { claim, study, trial, checkpoint }: StartedTrial,
  { now: stop, atBoundary }: StopSignals,
): Promise<Outcome> {
  stop.throwIfAborted();
  if (atBoundary.aborted) return leftBecause(atBoundary);
  const process = new TrainingProcess(log, limits);
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
      checkpoints: checkpoints.folderOf(claim.trial),
      checkpointRoot: checkpoints.path,
      checkpoint,
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
      warning: (warning) => log.warn({ warning }, 'training process'),
      progress: (stepsDone) => {
        metrics?.progress(claim.trial, stepsDone);
        hub.progressed(study.name, { trial: claim.trial, stepsDone, steps: totalSteps(study) });
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

/** Repeats a write that the store cannot make until it can, or until it is no longer to be waited for. */
async function untilStored<T>(health: StoreHealth, write: () => Promise<T>, stop: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || stop.aborted) throw error;
      await health.whenWritable(stop);
    }
  }
}

function startMessage(
  study: Study,
  trial: Trial,
  options: SupervisorOptions,
  from: Pick<StartMessage, 'checkpoints' | 'checkpointRoot' | 'checkpoint' | 'trace'>,
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
