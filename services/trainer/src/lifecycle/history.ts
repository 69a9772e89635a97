/** Whether what a study's stored events tell can have happened: a replay against the table of transitions. */

import {
  type OuterStep,
  type Study,
  StudyState,
  type Trial,
  TrialState,
} from '@glocal/proto/glocal/v1/study';
import type { StudyEvent } from '@glocal/proto/glocal/v1/study_service';
import { hasEnded, studyHasEnded, studyStateName, trialStateName } from '../resource/states.ts';
import {
  FIRST_STUDY_STATE,
  FIRST_TRIAL_STATE,
  leads,
  STUDY_TRANSITIONS,
  TRIAL_TRANSITIONS,
} from './table.ts';

/** What a store has of a study. */
export interface History {
  /** All of them, oldest first. */
  readonly events: readonly StudyEvent[];
  /** As it is now. */
  readonly study: Study;
  /** As they are now. */
  readonly trials: readonly Trial[];
}

/** A trial as its events have told it so far. */
interface Told {
  readonly state: TrialState;
  readonly outerSteps: number;
  readonly attempts: number;
}

const NEW_TRIAL: Told = { state: FIRST_TRIAL_STATE, outerSteps: 0, attempts: 0 };

/**
 * What is wrong with a history, one sentence each: transitions that the table does not have, outer steps that are missing or
 * doubled or come while nobody trains, attempts that nobody began, and records that are not what was told last.
 */
export function checkHistory({ events, study, trials }: History): string[] {
  const replay = new Replay();
  for (const [i, event] of events.entries()) replay.take(event, i + 1);
  replay.compare(study, trials);
  return replay.problems;
}

class Replay {
  readonly problems: string[] = [];
  readonly #trials = new Map<string, Told>();
  #study: StudyState | undefined;
  #where = '';

  take({ cursor, event }: StudyEvent, sequence: number): void {
    this.#where = `event ${cursor}`;
    this.#expect(cursor === String(sequence), `is not number ${sequence}`);
    switch (event?.$case) {
      case 'study':
        this.#takeStudy(event.value);
        break;
      case 'trial':
        this.#takeTrial(event.value);
        break;
      case 'outerStep':
        this.#takeOuterStep(event.value);
        break;
      default:
        this.#expect(false, `tells of ${event?.$case ?? 'nothing'}, which is not stored`);
    }
  }

  /** The records that there are, and what was told. */
  compare(study: Study, trials: readonly Trial[]): void {
    this.#where = study.name;
    const told = this.#study ?? StudyState.UNSPECIFIED;
    this.#expect(
      study.state === told,
      `is ${studyStateName(study.state)} and was told to be ${studyStateName(told)}`,
    );
    for (const { name, state, outerStepsDone } of trials) {
      this.#where = name;
      const known = this.#trials.get(name) ?? NEW_TRIAL;
      this.#expect(
        state === known.state,
        `is ${trialStateName(state)} and was told to be ${trialStateName(known.state)}`,
      );
      this.#expect(
        outerStepsDone === known.outerSteps,
        `has ${outerStepsDone} outer steps, of which ${known.outerSteps} were told`,
      );
    }
    this.#where = study.name;
    this.#compareStates(study, trials);
  }

  #compareStates({ state }: Study, trials: readonly Trial[]): void {
    const is = `is ${studyStateName(state)}`;
    const succeeded = trials.filter((trial) => trial.state === TrialState.SUCCEEDED).length;
    if (studyHasEnded({ state }))
      this.#expect(trials.every(hasEnded), `${is}, and trials of it have not ended`);
    if (state === StudyState.COMPLETED) this.#expect(succeeded > 0, `${is}, and no trial SUCCEEDED`);
    if (state === StudyState.FAILED) this.#expect(succeeded === 0, `${is}, and a trial SUCCEEDED`);
    // A PAUSED one may go on by itself, once the DMD service answers.
    if (state === StudyState.ACTIVE)
      this.#expect(!trials.every(hasEnded), `${is}, and every trial has ended`);
    if (state === StudyState.PAUSED) {
      const waits = trials.some((trial) => trial.state === TrialState.PENDING);
      this.#expect(!waits, `${is}, and a trial is PENDING`);
    }
  }

  #takeStudy({ name, state }: Study): void {
    const before = this.#study;
    this.#study = state;
    if (before === undefined) {
      this.#expect(state === FIRST_STUDY_STATE, `creates ${name} as ${studyStateName(state)}`);
      return;
    }
    this.#expect(
      leads(STUDY_TRANSITIONS, before, state),
      `takes ${name} from ${studyStateName(before)} to ${studyStateName(state)}`,
    );
  }

  #takeTrial({ name, state, attempts, outerStepsDone }: Trial): void {
    const before = this.#trials.get(name) ?? NEW_TRIAL;
    this.#trials.set(name, { state, attempts, outerSteps: before.outerSteps });
    this.#expect(
      leads(TRIAL_TRANSITIONS, before.state, state),
      `takes ${name} from ${trialStateName(before.state)} to ${trialStateName(state)}`,
    );
    const begun = before.state === TrialState.PENDING && state === TrialState.RUNNING ? 1 : 0;
    this.#expect(
      attempts === before.attempts + begun,
      `counts ${attempts} attempts of ${name} after ${before.attempts}`,
    );
    this.#expect(
      outerStepsDone === before.outerSteps,
      `says that ${name} has ${outerStepsDone} outer steps, and ${before.outerSteps} were told`,
    );
  }

  #takeOuterStep({ name, index }: OuterStep): void {
    const trial = name.slice(0, name.indexOf('/outerSteps/'));
    const before = this.#trials.get(trial) ?? NEW_TRIAL;
    this.#trials.set(trial, { ...before, outerSteps: index });
    this.#expect(
      before.state === TrialState.RUNNING,
      `is outer step ${index} of ${trial}, which is ${trialStateName(before.state)}`,
    );
    const next = before.outerSteps + 1;
    if (index < next) this.#expect(false, `tells outer step ${index} of ${trial} a second time`);
    if (index > next) this.#expect(false, `tells outer step ${index} of ${trial}, and ${next} is missing`);
  }

  #expect(holds: boolean, problem: string): void {
    if (!holds) this.problems.push(`${this.#where} ${problem}`);
  }
}
