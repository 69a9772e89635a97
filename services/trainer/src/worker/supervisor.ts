/**
 * Trains a claimed trial to its end, or until it is interrupted: its training process belongs to it from the fork on, and
 * what it tells is stored.
 */

import { Decision, Evaluation, OuterStep, Study, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import type { Logger } from 'pino';
import type { CheckpointRoot } from '../checkpoint/folder.ts';
import { discardUnlessNeeded } from '../checkpoint/tidy.ts';
import type { DmdConnection } from '../dmd/connection.ts';
import type { DriveDesk } from '../drive/desk.ts';
import type { EventHub } from '../events/hub.ts';
import type { Interruption, TrialEnding } from '../lifecycle/transitions.ts';
import { NotFoundError, StateError } from '../resource/errors.ts';
import { StaleEpochError, StoreUnavailableError } from '../store/errors.ts';
import type { StoreHealth } from '../store/health.ts';
import type { StartedTrial, Store } from '../store/store.ts';
import type { EndedMessage, StartMessage } from './messages.ts';
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
  readonly backend: StartMessage['backend'];
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
}

/**
 * Resolves when the trial has ended or waits to go on, and its process is gone. While the store cannot write, what has to be
 * stored is kept, and the process waits.
 * @param stop aborted to interrupt it now; its reason says why, for people.
 * @throws StoreUnavailableError when it is stopped while that cannot be stored.
 */
export async function superviseTrial(
  parts: SupervisorParts,
  started: StartedTrial,
  stop: AbortSignal,
): Promise<'over' | 'interrupted'> {
  const { store, hub, log, checkpoints } = parts;
  const { claim, study } = started;
  try {
    const outcome = await train(parts, started, stop).catch((error) =>
      afterError(parts, started, stop, error),
    );
    const interrupted = 'why' in outcome;
    const write: () => Promise<unknown> = interrupted
      ? () => store.interruptTrial(claim, outcome)
      : () => store.endTrial(claim, outcome);
    await untilStored(store.health, write, stop);
    return interrupted ? 'interrupted' : 'over';
  } catch (error) {
    if (!isLost(error)) throw error;
    log.debug({ err: error, trial: claim.trial }, 'the trial is no longer ours');
    return 'over';
  } finally {
    hub.forget(study.name, claim.trial);
    hub.changed(study.name);
    await discardUnlessNeeded(store, checkpoints, claim.trial, log);
  }
}

/** What becomes of a trial that did not come to its end by itself. */
async function afterError(
  { store, log }: SupervisorParts,
  { claim: { trial } }: StartedTrial,
  stop: AbortSignal,
  error: unknown,
): Promise<TrialEnding | Interruption> {
  if (stop.aborted) return { why: String(stop.reason), crashed: false };
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof MemoryLimitError) {
    log.warn({ trial, reason }, 'a training process took too much memory');
    return { state: TrialState.FAILED, reason: `${reason}; its checkpoints are kept` };
  }
  if (!(error instanceof TrainingProcessError)) {
    if (!isLost(error)) log.error({ err: error, trial }, 'trial failed');
    return { state: TrialState.FAILED, reason };
  }
  const { crashes = 0, outerStepsDone = 0 } = (await store.getTrial(trial)) ?? {};
  log.warn({ trial, reason, outerStepsDone, crashes: crashes + 1 }, 'a training process has died');
  if (crashes + 1 < MAX_CRASHES) return { why: reason, crashed: true };
  const last = `for the ${MAX_CRASHES}rd time at outer step ${outerStepsDone + 1}`;
  return { state: TrialState.FAILED, reason: `${reason}, ${last}; its checkpoints are kept` };
}

/** Whether the store refuses because somebody else has ended the trial, trains it now, or has deleted it. */
const isLost = (error: unknown): boolean =>
  [StateError, StaleEpochError, NotFoundError].some((kind) => error instanceof kind);

async function train(
  { store, hub, log, checkpoints, desk, options, limits }: SupervisorParts,
  { claim, study, trial }: StartedTrial,
  stop: AbortSignal,
): Promise<TrialEnding> {
  stop.throwIfAborted();
  const process = new TrainingProcess(log, limits);
  const kill = () => void process.kill();
  stop.addEventListener('abort', kill, { once: true });
  const save = async (write: () => Promise<unknown>) => {
    await untilStored(store.health, write, stop);
    hub.changed(study.name);
  };
  try {
    const folder = checkpoints.folderOf(claim.trial);
    const ended = await process.run(startMessage(study, trial, options, folder), {
      started: ({ backend, datasetSha256, notes }) => {
        if (notes.length > 0)
          log.warn({ trial: claim.trial, notes }, 'a trial goes on otherwise than it was');
        const stateReason = [trial.stateReason, ...notes].filter((text) => text !== '').join('; ');
        return save(() => store.describeRuntime(claim, { backend, datasetSha256, stateReason }));
      },
      warning: (warning) => log.warn({ trial: claim.trial, warning }, 'training process'),
      progress: (stepsDone) =>
        hub.progressed(study.name, { trial: claim.trial, stepsDone, steps: totalSteps(study) }),
      proposal: async ({ outerStep, givesUp, sound }, gone) => {
        const proposal = { outerStep: OuterStep.decode(outerStep), givesUp, sound };
        return Decision.encode(await desk.decide(claim, study, proposal, gone)).finish();
      },
      outerStep: async (encoded) => {
        const outerStep = OuterStep.decode(encoded);
        const { index, update } = outerStep;
        if (update?.fellBack) {
          const told = { trial: claim.trial, index, reason: update.reason };
          log.warn(told, 'a window used the local hypergradient');
        }
        await save(() => store.addOuterStep(claim, outerStep));
        desk.settled(claim.trial, outerStep);
      },
    });
    return endingOf(ended);
  } finally {
    stop.removeEventListener('abort', kill);
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
  checkpoints: string,
): StartMessage {
  return {
    type: 'start',
    study: Study.encode(study).finish(),
    trial: Trial.encode(trial).finish(),
    checkpoints,
    ...options,
  };
}

function endingOf({ outcome, reason, test, averagedTest }: EndedMessage): TrialEnding {
  switch (outcome) {
    case 'succeeded':
      return {
        state: TrialState.SUCCEEDED,
        reason,
        test: Evaluation.decode(test),
        averagedTest: Evaluation.decode(averagedTest),
      };
    case 'infeasible':
      return { state: TrialState.INFEASIBLE, reason };
    case 'failed':
      return { state: TrialState.FAILED, reason };
  }
}

/** Inner steps of a trial; GLOBAL trains more than once. */
const totalSteps = ({ training, method }: Study): number => (training?.steps ?? 0) * (method?.trainings || 1);
