/**
 * What changes a trial: each function takes a record and says what happens to it, as the table allows.
 *
 * Pure, so that every store makes the same transitions inside its transactions.
 */

import {
  type Evaluation,
  type OuterStep,
  StudyState,
  type Trial,
  TrialState,
  type Update,
} from '@glocal/proto/glocal/v1/study';
import { StateError } from '../resource/errors.ts';
import { startOf } from '../resource/quote.ts';
import { trialStateName } from '../resource/states.ts';
import { addTimings, costOf } from '../resource/timing.ts';
import { type Actor, isAllowed, TRIAL_TRANSITIONS, type TrialTransition } from './table.ts';

/** Code points of a reason: it may be whatever a library has thrown, and travels in every list. */
const MAX_REASON = 2_000;

/** What is known of a trial once its training process has set itself up. */
export type Runtime = Pick<Trial, 'backend' | 'datasetSha256' | 'stateReason'>;

/** Why a trial does not train any more, though it has not ended. */
export interface Interruption {
  /** For people: what happened. */
  readonly why: string;
  /** Whether its training process died by itself, which may be the trial's fault. */
  readonly crashed: boolean;
}

/**
 * What a PAUSED trial waits for: a caller who resumes it, a decision of who drives it, the DMD service, or what the machine
 * lacks for it, as a store of objects that can be reached. When a caller pauses the study, all of its trials wait for a caller.
 */
export type PauseCause = 'caller' | 'decision' | 'dmd' | 'machine';

/** Why a trial is left at an outer-step boundary, until something happens. */
export interface Pause {
  /** For people: what happened. */
  readonly why: string;
  readonly cause: PauseCause;
}

/** Thrown where a trial trains, to leave it until something happens. */
export class PausedError extends Error {
  override readonly name = 'PausedError';
  readonly pause: Pause;

  constructor(pause: Pause) {
    super(pause.why);
    this.pause = pause;
  }
}

/** How a trial ends by itself. */
export interface TrialEnding {
  readonly state: TrialState.SUCCEEDED | TrialState.FAILED | TrialState.INFEASIBLE;
  /** In one sentence, for people. */
  readonly reason: string;
  /** Figures on the test part; only of one that SUCCEEDED. */
  readonly test?: Evaluation | undefined;
  readonly averagedTest?: Evaluation | undefined;
}

/** Begins the next attempt. @throws StateError unless the trial waits. */
export function startTrial(trial: Trial, now: Date): Trial {
  expectTrial(trial, 'start', 'worker');
  return {
    ...trial,
    state: TrialState.RUNNING,
    // One that goes on says why it has to.
    stateReason: trial.attempts === 0 ? '' : trial.stateReason,
    attempts: trial.attempts + 1,
    startTime: trial.startTime ?? now,
  };
}

/** A client comes to report for the trial, the first one or another. @throws StateError unless it waits or runs. */
export function startReporting(trial: Trial, now: Date): Trial {
  if (trial.state === TrialState.RUNNING) return trial;
  return { ...startTrial(trial, now), stateReason: 'a client trains it' };
}

/** @throws StateError unless the trial runs. */
export const expectRunning = (trial: Trial): void => expectTrial(trial, 'go on', 'worker');

/**
 * The trial waits again, to go on where it is; of a study that a caller has paused it is PAUSED.
 * @throws StateError unless it runs.
 */
export function interruptTrial(trial: Trial, study: StudyState, { why, crashed }: Interruption): Trial {
  const isPaused = study === StudyState.PAUSED;
  expectTrial(trial, isPaused ? 'be paused' : 'be interrupted', 'worker');
  return {
    ...trial,
    state: isPaused ? TrialState.PAUSED : TrialState.PENDING,
    stateReason: `${shortened(why)}; ${whatFollows(trial)}`,
    crashes: trial.crashes + (crashed ? 1 : 0),
    // Who hands it back lives, and says so.
    workerDeaths: 0,
  };
}

/** A worker that has not been heard of for longer than its lease. */
export interface WorkerDeath {
  /** For people: what happened. */
  readonly why: string;
  /** So many one after the other end a trial; 0 for any number. */
  readonly most: number;
}

/**
 * The worker that trained the trial is gone: it waits again, as after an interruption, unless too many workers in a row went
 * that way. @throws StateError unless it runs.
 */
export function loseWorker(trial: Trial, study: StudyState, { why, most }: WorkerDeath, now: Date): Trial {
  const workerDeaths = trial.workerDeaths + 1;
  if (most === 0 || workerDeaths < most) {
    return { ...interruptTrial(trial, study, { why, crashed: false }), workerDeaths };
  }
  expectTrial(trial, 'end', 'server');
  const where = trial.outerStepsDone === 0 ? 'began' : `stored outer step ${trial.outerStepsDone}`;
  return {
    ...{ ...trial, workerDeaths, state: TrialState.FAILED, endTime: now },
    stateReason: shortened(
      `${why}: that is worker number ${workerDeaths} to be lost with it since it ${where}, and it is not tried again by itself (--max-worker-deaths ${most}); its checkpoints are kept`,
    ),
  };
}

/** The trial is left at its last boundary. @throws StateError unless it runs. */
export function pauseTrial(trial: Trial, why: string): Trial {
  expectTrial(trial, 'be paused', 'worker');
  return {
    ...trial,
    state: TrialState.PAUSED,
    stateReason: `${shortened(why)}; ${whatFollows(trial)}`,
    workerDeaths: 0,
  };
}

/** The trial does not start before somebody resumes it. @throws StateError unless it waits. */
export function holdBackTrial(trial: Trial): Trial {
  expectTrial(trial, 'be held back', 'caller');
  return { ...trial, state: TrialState.PAUSED, stateReason: `paused by a caller; ${whatFollows(trial)}` };
}

/** The trial waits for a worker again. @throws StateError unless it is PAUSED. */
export function resumeTrial(trial: Trial, by: Actor): Trial {
  expectTrial(trial, 'be resumed', by);
  return { ...trial, state: TrialState.PENDING, stateReason: `resumed; ${whatFollows(trial)}` };
}

/** A trial that FAILED waits for a worker, to go on from a checkpoint. @throws StateError unless it FAILED. */
export function takeUpTrial(trial: Trial): Trial {
  expectTrial(trial, 'be taken up again', 'caller');
  return {
    ...trial,
    state: TrialState.PENDING,
    stateReason: 'taken up again from a checkpoint',
    endTime: undefined,
    crashes: 0,
    workerDeaths: 0,
  };
}

/** @throws StateError unless the trial runs. */
export function describeRuntime(trial: Trial, runtime: Runtime): Trial {
  expectTrial(trial, 'go on', 'worker');
  return { ...trial, ...runtime, stateReason: shortened(runtime.stateReason) };
}

/** How far an outer step brings its trial. */
export interface OuterStepProgress
  extends Pick<OuterStep, 'index' | 'step' | 'nextValues' | 'validation' | 'averagedValidation' | 'timing'> {
  readonly update: Pick<Update, 'fellBack'> | undefined;
}

/**
 * The trial after one more outer step.
 * @throws StateError unless the trial runs and the step is its next.
 */
export function advanceTrial(trial: Trial, outerStep: OuterStepProgress): Trial {
  expectTrial(trial, 'go on', 'worker');
  if (outerStep.index !== trial.outerStepsDone + 1) {
    throw new StateError(
      `${trial.name} has ${trial.outerStepsDone} outer steps, so that its next cannot be number ${outerStep.index}`,
    );
  }
  return {
    ...trial,
    stepsDone: outerStep.step,
    outerStepsDone: outerStep.index,
    values: outerStep.nextValues,
    validation: outerStep.validation,
    averagedValidation: outerStep.averagedValidation,
    fallbackWindows: trial.fallbackWindows + (outerStep.update?.fellBack ? 1 : 0),
    ...timeAfter(trial, outerStep),
    crashes: 0,
    workerDeaths: 0,
  };
}

/** Where a trial's time went with one more outer step. Of a trial whose first ones were not timed so, nothing is said. */
function timeAfter(
  { timing, outerStepsDone }: Trial,
  { timing: added, step }: OuterStepProgress,
): Pick<Trial, 'timing' | 'cost'> {
  if (added === undefined || (timing === undefined && outerStepsDone > 0)) return { timing, cost: 0 };
  const sum = timing === undefined ? added : addTimings(timing, added);
  return { timing: sum, cost: costOf(sum, step) };
}

/** @throws StateError unless the trial runs. */
export function endTrial(trial: Trial, ending: TrialEnding, now: Date): Trial {
  expectTrial(trial, 'end', 'worker');
  const { state, reason, test, averagedTest } = ending;
  return { ...trial, state, stateReason: shortened(reason), endTime: now, test, averagedTest };
}

/** @throws StateError when the trial has ended. */
export function cancelTrial(trial: Trial, now: Date): Trial {
  expectTrial(trial, 'be cancelled', 'caller');
  return { ...trial, state: TrialState.CANCELLED, stateReason: 'the study was cancelled', endTime: now };
}

const shortened = (reason: string): string => startOf(reason, MAX_REASON);

const whatFollows = ({ outerStepsDone, attempts }: Trial): string => {
  if (outerStepsDone > 0) return `it goes on after outer step ${outerStepsDone}`;
  return attempts > 0 ? 'it starts again' : 'it has not started yet';
};

function expectTrial({ name, state }: Trial, what: TrialTransition, by: Actor): void {
  if (!isAllowed(TRIAL_TRANSITIONS[what], state, by)) {
    throw new StateError(`${name} is ${trialStateName(state)} and cannot ${what}`);
  }
}
