/**
 * Trains a claimed trial to its end, or until it is interrupted: its training process belongs to it from the fork on, and
 * what becomes of it is stored.
 */

import { TrialState } from '@glocal/proto/glocal/v1/study';
import { discardUnlessNeeded } from '../checkpoint/tidy.ts';
import { NoDecisionError } from '../drive/desk.ts';
import { PausedError } from '../lifecycle/transitions.ts';
import { isLost } from '../store/lost.ts';
import type { StartedTrial } from '../store/store.ts';
import { untilStored } from '../store/until-stored.ts';
import type { StudyTraces } from '../tracing/study-traces.ts';
import type { Tracing } from '../tracing/tracing.ts';
import { type AttemptParts, type StopSignals, train } from './attempt.ts';
import { isFailure, leftBecause, type Outcome, outcomeName, type Trained } from './outcome.ts';
import { MemoryLimitError, TrainingProcessError } from './process.ts';

/** So often a training process may die at one outer step. */
const MAX_CRASHES = 3;

export interface SupervisorParts extends Omit<AttemptParts, 'span'> {
  /** Whether other processes may train what cannot be trained here. */
  readonly others: boolean;
  /** Undefined where there are no spans. */
  readonly tracing?: Tracing | undefined;
  readonly studyTraces?: StudyTraces | undefined;
}

/**
 * Resolves when the trial has ended, waits to go on or is PAUSED, and its process is gone. While the store cannot write, what
 * has to be stored is kept, and the process waits. Tells whether the trial waits because it cannot be trained here.
 * @throws StoreUnavailableError when it is stopped while that cannot be stored.
 */
export async function superviseTrial(
  all: SupervisorParts,
  started: StartedTrial,
  stop: StopSignals,
): Promise<Trained> {
  const { claim, study } = started;
  const span = beginAttempt(all, started);
  const ids = { study: study.name, trial: claim.trial, ...(span && { traceId: span.traceId }) };
  const parts = { ...all, log: all.log.child(ids), span };
  const { store, hub, log, checkpoints } = parts;
  try {
    const ended = await train(parts, started, stop).catch((error) => afterError(parts, started, stop, error));
    const isLeft = parts.others && 'unfit' in ended;
    const outcome = isLeft ? { why: `not on this worker: ${ended.reason}`, crashed: false } : ended;
    const write = (): Promise<unknown> => {
      if ('cause' in outcome) return store.pauseTrial(claim, outcome);
      return 'why' in outcome ? store.interruptTrial(claim, outcome) : store.endTrial(claim, outcome);
    };
    await untilStored(store.health, write, stop.now);
    parts.metrics?.attemptEnded(outcomeName(outcome));
    span?.set({ 'glocal.outcome': outcomeName(outcome) });
    span?.end(isFailure(outcome) ? '' : undefined);
    return isLeft ? 'left to others' : undefined;
  } catch (error) {
    span?.end(isLost(error) ? undefined : 'what became of the trial could not be stored');
    if (!isLost(error)) throw error;
    log.debug({ err: error }, 'the trial is no longer ours');
    return undefined;
  } finally {
    hub.forget(claim.trial);
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
