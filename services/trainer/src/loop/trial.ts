/** A trial: the outer loop from its start to its end, as the policy decides or as a driver does. */

import type { Decision, Evaluation, OuterStep } from '@glocal/proto/glocal/v1/study';
import { fallbackNote } from '../resource/fallbacks.ts';
import { type LoopParts, OuterLoop, type Proposal, type SavedLoop } from './outer-loop.ts';

/** How a trial ended. */
export type Outcome =
  | {
      readonly outcome: 'succeeded';
      readonly reason: string;
      readonly test: Evaluation;
      readonly averagedTest: Evaluation;
    }
  | { readonly outcome: 'infeasible' | 'left'; readonly reason: string };

/** Told while the trial runs. */
export interface TrialListener {
  progress(stepsDone: number): void;
  /** This outer step is about to be trained. */
  windowBegins?(outerStep: number): void;
  /**
   * Of a trial that is driven: decides about a window, and about steps without one that are to be taken back. Nothing is
   * computed until it resolves.
   */
  readonly decide?: ((proposal: Proposal) => Promise<Decision>) | undefined;
  /**
   * An outer step is complete. Training goes on when the promise resolves.
   * @param saved what follows it starts from this; undefined when nothing follows, as the trial ends before its steps are done.
   */
  outerStep(outerStep: OuterStep, saved: SavedLoop | undefined): void | Promise<void>;
  /** Whether the trial is to be left at this boundary, to go on later. */
  isLeaving(): boolean;
}

export interface TrialParts extends Omit<LoopParts, 'progress'> {
  readonly listener: TrialListener;
}

/**
 * Trains a trial to its end, or until it is left.
 * @param saved where to go on; from the beginning without it.
 */
export async function runTrial({ listener, ...parts }: TrialParts, saved?: SavedLoop): Promise<Outcome> {
  const loop = new OuterLoop({ ...parts, progress: (stepsDone) => listener.progress(stepsDone) }, saved);
  while (!loop.done) {
    if (listener.isLeaving()) return { outcome: 'left', reason: 'left at an outer-step boundary' };
    listener.windowBegins?.(loop.state.outerStepsDone + 1);
    const window = await loop.trainWindow();
    const proposal = loop.propose(window);
    const asks = window.hasWindow || proposal.unsettled.conclusion.action !== 'observe';
    const decision = await window.watch.runAsync('decision', async () =>
      asks ? listener.decide?.(proposal) : undefined,
    );
    const outerStep = loop.settle(proposal, decision);
    await listener.outerStep(outerStep, loop.ending === undefined ? loop.save() : undefined);
  }
  const { outerStepsDone, stepsDone, fallbackWindows } = loop.state;
  const note = fallbackNote(fallbackWindows, outerStepsDone);
  if (loop.ending?.outcome === 'infeasible')
    return { outcome: 'infeasible', reason: `${loop.ending.reason}${note}` };
  return {
    outcome: 'succeeded',
    reason: `${done(loop, stepsDone)}${note}`,
    test: parts.learner.evaluate('test', 'lastIterate'),
    averagedTest: parts.learner.evaluate('test', 'averaged'),
  };
}

function done({ ending }: OuterLoop, stepsDone: number): string {
  if (ending === undefined) return `all ${stepsDone} inner steps done`;
  return `stopped by its driver after ${stepsDone} inner steps${ending.reason && `: ${ending.reason}`}`;
}
