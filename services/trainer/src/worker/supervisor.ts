/** Trains a claimed trial to its end: its training process belongs to it from the fork on, and what it tells is stored. */

import { Evaluation, OuterStep, Study, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import type { Logger } from 'pino';
import type { DmdConnection } from '../dmd/connection.ts';
import type { EventHub } from '../events/hub.ts';
import type { TrialEnding } from '../lifecycle/transitions.ts';
import { NotFoundError, StateError } from '../resource/errors.ts';
import { StaleEpochError, StoreUnavailableError } from '../store/errors.ts';
import type { StoreHealth } from '../store/health.ts';
import type { StartedTrial, Store } from '../store/store.ts';
import type { EndedMessage, StartMessage } from './messages.ts';
import { TrainingProcess } from './process.ts';

export interface SupervisorOptions {
  readonly dmd: DmdConnection;
  readonly dmdRetryBudgetMs: number;
  readonly modelDir: string | undefined;
  readonly backend: StartMessage['backend'];
}

export interface SupervisorParts {
  readonly store: Store;
  readonly hub: EventHub;
  readonly log: Logger;
  readonly options: SupervisorOptions;
}

/**
 * Resolves when the trial has ended and its process is gone. While the store cannot write, what has to be stored is kept,
 * and the process waits.
 * @param stop aborted to end it now, as FAILED unless it has ended in the store; its reason says why, in a sentence.
 * @throws StoreUnavailableError when it is stopped while its end cannot be stored.
 */
export async function superviseTrial(
  parts: SupervisorParts,
  started: StartedTrial,
  stop: AbortSignal,
): Promise<void> {
  const { store, hub, log } = parts;
  const { claim, study } = started;
  try {
    const ending = await train(parts, started, stop).catch((error: unknown): TrialEnding => {
      if (stop.aborted) return { state: TrialState.FAILED, reason: String(stop.reason) };
      if (!isLost(error)) log.error({ err: error, trial: claim.trial }, 'trial failed');
      return { state: TrialState.FAILED, reason: error instanceof Error ? error.message : String(error) };
    });
    await untilStored(store.health, () => store.endTrial(claim, ending), stop);
  } catch (error) {
    if (!isLost(error)) throw error;
    log.debug({ err: error, trial: claim.trial }, 'the trial is no longer ours');
  } finally {
    hub.forget(study.name, claim.trial);
    hub.changed(study.name);
  }
}

/** Whether the store refuses because somebody else has ended the trial, trains it now, or has deleted it. */
const isLost = (error: unknown): boolean =>
  [StateError, StaleEpochError, NotFoundError].some((kind) => error instanceof kind);

async function train(
  { store, hub, log, options }: SupervisorParts,
  { claim, study, trial }: StartedTrial,
  stop: AbortSignal,
): Promise<TrialEnding> {
  stop.throwIfAborted();
  const process = new TrainingProcess(log);
  const kill = () => void process.kill();
  stop.addEventListener('abort', kill, { once: true });
  const save = async (write: () => Promise<unknown>) => {
    await untilStored(store.health, write, stop);
    hub.changed(study.name);
  };
  try {
    const ended = await process.run(startMessage(study, trial, options), {
      started: ({ backend, datasetSha256 }) =>
        save(() => store.describeRuntime(claim, { backend, datasetSha256 })),
      progress: (stepsDone) =>
        hub.progressed(study.name, { trial: claim.trial, stepsDone, steps: totalSteps(study) }),
      outerStep: (encoded) => {
        const outerStep = OuterStep.decode(encoded);
        const { index, update } = outerStep;
        if (update?.fellBack) {
          const told = { trial: claim.trial, index, reason: update.reason };
          log.warn(told, 'a window used the local hypergradient');
        }
        return save(() => store.addOuterStep(claim, outerStep));
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

function startMessage(study: Study, trial: Trial, options: SupervisorOptions): StartMessage {
  return {
    type: 'start',
    study: Study.encode(study).finish(),
    trial: Trial.encode(trial).finish(),
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
