/** The one table of what may change the state of a trial or of a study, from which state to which, and who may. */

import { StudyState, TrialState } from '@glocal/proto/glocal/v1/study';

/**
 * Who changes something: a caller by a request; a worker, which has claimed the trial and trains it; the server by itself,
 * for instance when it takes up what an earlier one left.
 */
export type Actor = 'caller' | 'worker' | 'server';

export interface Transition<State> {
  readonly from: readonly State[];
  readonly to: readonly State[];
  readonly by: readonly Actor[];
}

/** New trials are in this state, which no event tells. */
export const FIRST_TRIAL_STATE = TrialState.PENDING;
export const FIRST_STUDY_STATE = StudyState.ACTIVE;

/** By what happens to a trial, as messages say it. */
export const TRIAL_TRANSITIONS = {
  start: { from: [TrialState.PENDING], to: [TrialState.RUNNING], by: ['worker'] },
  /** Tells of itself, or of an outer step. */
  'go on': { from: [TrialState.RUNNING], to: [TrialState.RUNNING], by: ['worker'] },
  'be interrupted': { from: [TrialState.RUNNING], to: [TrialState.PENDING], by: ['worker', 'server'] },
  'be paused': { from: [TrialState.RUNNING], to: [TrialState.PAUSED], by: ['worker', 'server'] },
  /** While it waits. */
  'be held back': { from: [TrialState.PENDING], to: [TrialState.PAUSED], by: ['caller'] },
  'be resumed': { from: [TrialState.PAUSED], to: [TrialState.PENDING], by: ['caller', 'server'] },
  /** From a checkpoint that it has kept. */
  'be taken up again': { from: [TrialState.FAILED], to: [TrialState.PENDING], by: ['caller'] },
  end: {
    from: [TrialState.RUNNING],
    to: [TrialState.SUCCEEDED, TrialState.FAILED, TrialState.INFEASIBLE],
    by: ['worker', 'server'],
  },
  'be cancelled': {
    from: [TrialState.PENDING, TrialState.RUNNING, TrialState.PAUSED],
    to: [TrialState.CANCELLED],
    by: ['caller'],
  },
} as const satisfies Record<string, Transition<TrialState>>;

/** By what happens to a study. */
export const STUDY_TRANSITIONS = {
  'be paused': { from: [StudyState.ACTIVE], to: [StudyState.PAUSED], by: ['caller'] },
  /** None of its trials can go on by itself. */
  stall: { from: [StudyState.ACTIVE], to: [StudyState.PAUSED], by: ['worker', 'server'] },
  'be resumed': { from: [StudyState.PAUSED], to: [StudyState.ACTIVE], by: ['caller', 'server'] },
  /** With trials that FAILED. */
  'be taken up again': {
    from: [StudyState.COMPLETED, StudyState.CANCELLED, StudyState.FAILED],
    to: [StudyState.ACTIVE],
    by: ['caller'],
  },
  /** A study that a caller paused may end with the windows that were being trained then. */
  end: {
    from: [StudyState.ACTIVE, StudyState.PAUSED],
    to: [StudyState.COMPLETED, StudyState.FAILED],
    by: ['worker', 'server'],
  },
  'be cancelled': {
    from: [StudyState.ACTIVE, StudyState.PAUSED],
    to: [StudyState.CANCELLED],
    by: ['caller'],
  },
} as const satisfies Record<string, Transition<StudyState>>;

export type TrialTransition = keyof typeof TRIAL_TRANSITIONS;
export type StudyTransition = keyof typeof STUDY_TRANSITIONS;

/** Whether something may happen in this state, when this actor wants it. */
export const isAllowed = <State>({ from, by }: Transition<State>, state: State, actor: Actor): boolean =>
  from.includes(state) && by.includes(actor);

/** Whether any transition of a table leads from one state to another. */
export const leads = <State>(
  table: Readonly<Record<string, Transition<State>>>,
  before: State,
  after: State,
): boolean => Object.values(table).some(({ from, to }) => from.includes(before) && to.includes(after));
