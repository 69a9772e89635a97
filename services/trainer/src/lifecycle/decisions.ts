/**
 * What decisions about a trial's outer steps change of it. Pure, as `transitions.ts`.
 */

import { Decision, type Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import { StateError } from '../resource/errors.ts';
import { trialStateName } from '../resource/states.ts';

const waitingFor = (outerStep: number): string => `waiting for a decision about outer step ${outerStep}`;

/**
 * The trial waits for a driver.
 * @param earlier the last decision that was stored for the trial.
 * @throws StateError unless it runs, and the outer step is its next and undecided.
 */
export function awaitDecision(trial: Trial, earlier: Decision | undefined, outerStep: number): Trial {
  if (trial.state !== TrialState.RUNNING) {
    throw new StateError(`${trial.name} is ${trialStateName(trial.state)} and cannot wait for a decision`);
  }
  expectNext(trial, outerStep);
  if (earlier?.outerStep === outerStep) {
    throw new StateError(`outer step ${outerStep} of ${trial.name} has been decided`);
  }
  return { ...trial, stateReason: waitingFor(outerStep) };
}

/**
 * Something is proposed about an outer step of a trial.
 * @param earlier the last decision that was stored for the trial.
 * @returns what has been decided about it already.
 * @throws StateError unless the trial runs, and the outer step is its next.
 */
export function propose(
  trial: Trial,
  earlier: Decision | undefined,
  outerStep: number,
): Decision | undefined {
  if (trial.state !== TrialState.RUNNING) {
    throw new StateError(`${trial.name} is ${trialStateName(trial.state)} and proposes nothing`);
  }
  expectNext(trial, outerStep);
  return earlier?.outerStep === outerStep ? earlier : undefined;
}

/**
 * The trial once a decision is stored, which counts from then on.
 * @param earlier the last one that was stored for the trial.
 * @throws StateError when the trial does not train or wait to, its next outer step is another one, or that has been decided
 *   otherwise.
 */
export function takeDecision(trial: Trial, earlier: Decision | undefined, decision: Decision): Trial {
  if (trial.state !== TrialState.RUNNING && trial.state !== TrialState.PENDING) {
    throw new StateError(`${trial.name} is ${trialStateName(trial.state)}; there is nothing to decide`);
  }
  expectNext(trial, decision.outerStep);
  const isDecided = earlier?.outerStep === decision.outerStep;
  if (isDecided && !equalDecisions(earlier, decision)) {
    throw new StateError(`outer step ${decision.outerStep} of ${trial.name} has been decided otherwise`);
  }
  const waits = trial.stateReason === waitingFor(decision.outerStep);
  return waits ? { ...trial, stateReason: '' } : trial;
}

/** Whether they say the same, bit for bit. */
export const equalDecisions = (a: Decision, b: Decision): boolean =>
  Buffer.compare(Decision.encode(a).finish(), Decision.encode(b).finish()) === 0;

function expectNext({ name, outerStepsDone }: Trial, outerStep: number): void {
  if (outerStep !== outerStepsDone + 1) {
    throw new StateError(
      `outer step ${outerStepsDone + 1} of ${name} is open, and there is nothing to decide about outer step ${outerStep}`,
    );
  }
}
