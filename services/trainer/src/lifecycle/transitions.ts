/**
 * The states of studies and trials, and what may change them: each function takes a record and says what happens to it.
 *
 * Pure, so that every store makes the same transitions inside its transactions.
 */

import {
  type Evaluation,
  type OuterStep,
  type Study,
  StudyState,
  type Trial,
  TrialState,
} from '@glocal/proto/glocal/v1/study';
import { StateError } from '../resource/errors.ts';
import { fallbackNote } from '../resource/fallbacks.ts';
import { hasEnded, studyStateName, trialStateName } from '../resource/states.ts';

/** What happens to a trial, and the states in which it may. */
const TRIAL_MAY = {
  start: [TrialState.PENDING],
  'go on': [TrialState.RUNNING],
  'be interrupted': [TrialState.RUNNING],
  end: [TrialState.RUNNING],
  'be cancelled': [TrialState.PENDING, TrialState.RUNNING],
} as const satisfies Record<string, readonly TrialState[]>;

/** UTF-16 units of a reason: it may be whatever a library has thrown, and travels in every list. */
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
  expectTrial(trial, 'start');
  return {
    ...trial,
    state: TrialState.RUNNING,
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
export const expectRunning = (trial: Trial): void => expectTrial(trial, 'go on');

/** The trial waits again, to go on where it is. @throws StateError unless it runs. */
export function interruptTrial(trial: Trial, { why, crashed }: Interruption): Trial {
  expectTrial(trial, 'be interrupted');
  const { outerStepsDone } = trial;
  const next = outerStepsDone === 0 ? 'it starts again' : `it goes on after outer step ${outerStepsDone}`;
  return {
    ...trial,
    state: TrialState.PENDING,
    stateReason: `${shortened(why)}; ${next}`,
    crashes: trial.crashes + (crashed ? 1 : 0),
  };
}

/** @throws StateError unless the trial runs. */
export function describeRuntime(trial: Trial, runtime: Runtime): Trial {
  expectTrial(trial, 'go on');
  return { ...trial, ...runtime, stateReason: shortened(runtime.stateReason) };
}

/**
 * The trial after one more outer step.
 * @throws StateError unless the trial runs and the step is its next.
 */
export function advanceTrial(trial: Trial, outerStep: OuterStep): Trial {
  expectTrial(trial, 'go on');
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
    crashes: 0,
  };
}

/** @throws StateError unless the trial runs. */
export function endTrial(trial: Trial, ending: TrialEnding, now: Date): Trial {
  expectTrial(trial, 'end');
  const { state, reason, test, averagedTest } = ending;
  return { ...trial, state, stateReason: shortened(reason), endTime: now, test, averagedTest };
}

/** @throws StateError when the trial has ended. */
export function cancelTrial(trial: Trial, now: Date): Trial {
  expectTrial(trial, 'be cancelled');
  return { ...trial, state: TrialState.CANCELLED, stateReason: 'the study was cancelled', endTime: now };
}

/** @throws StateError unless the study is ACTIVE. */
export function cancelStudy(study: Study, now: Date): Study {
  if (study.state !== StudyState.ACTIVE) {
    throw new StateError(`${study.name} is ${studyStateName(study.state)} and cannot be cancelled`);
  }
  return { ...study, state: StudyState.CANCELLED, stateReason: 'cancelled by a caller', updateTime: now };
}

/** The study after its last trial has ended; undefined while one has not. */
export function concludeStudy(study: Study, trials: readonly Trial[], now: Date): Study | undefined {
  if (study.state !== StudyState.ACTIVE || !trials.every(hasEnded)) return undefined;
  const succeeded = trials.filter(({ state }) => state === TrialState.SUCCEEDED).length;
  const sum = (count: (trial: Trial) => number) => trials.reduce((total, trial) => total + count(trial), 0);
  const fallbacks = fallbackNote(
    sum(({ fallbackWindows }) => fallbackWindows),
    sum(({ outerStepsDone }) => outerStepsDone),
  );
  return {
    ...study,
    state: succeeded > 0 ? StudyState.COMPLETED : StudyState.FAILED,
    stateReason: `${succeeded} of ${trials.length} trials succeeded${fallbacks}`,
    updateTime: now,
  };
}

const shortened = (reason: string): string =>
  reason.length <= MAX_REASON ? reason : `${reason.slice(0, MAX_REASON - 1).toWellFormed()}…`;

function expectTrial({ name, state }: Trial, what: keyof typeof TRIAL_MAY): void {
  const allowed: readonly TrialState[] = TRIAL_MAY[what];
  if (!allowed.includes(state)) {
    throw new StateError(`${name} is ${trialStateName(state)} and cannot ${what}`);
  }
}
