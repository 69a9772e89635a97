/** What has become of a trial that does not train any more. */

import { Evaluation, TrialState } from '@glocal/proto/glocal/v1/study';
import type { Interruption, Pause, TrialEnding } from '../lifecycle/transitions.ts';
import { trialStateName } from '../resource/states.ts';
import type { EndedMessage } from './messages.ts';

/** It FAILED where nobody else can train it. */
export interface UnfitEnding extends TrialEnding {
  readonly unfit?: true;
}

export type Outcome = UnfitEnding | Interruption | Pause;

/** What has become of a trial here: whether it cannot be trained here, though it may be elsewhere. */
export type Trained = 'left to others' | undefined;

/** Whether training went wrong. */
export const isFailure = (outcome: Outcome): boolean =>
  'state' in outcome ? outcome.state === TrialState.FAILED : 'crashed' in outcome && outcome.crashed;

/** The state that an attempt leaves its trial in, unless its study was paused. */
export function outcomeName(outcome: Outcome): string {
  if ('cause' in outcome) return trialStateName(TrialState.PAUSED);
  return trialStateName('why' in outcome ? TrialState.PENDING : outcome.state);
}

/** At an outer-step boundary, as it was told to. */
export const leftBecause = ({ reason }: AbortSignal): Interruption => ({
  why: String(reason),
  crashed: false,
});

/** As the training process says. */
export function endingOf(
  { outcome, reason, cause = 'caller', test, averagedTest }: EndedMessage,
  atBoundary: AbortSignal,
): Outcome {
  switch (outcome) {
    case 'left':
      return leftBecause(atBoundary);
    case 'paused':
      return { why: reason, cause };
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
    case 'unfit':
      return { state: TrialState.FAILED, reason, unfit: true };
  }
}
