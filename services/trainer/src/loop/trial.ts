/** A managed trial: the outer loop from its start to its end, as the policy decides. */

import type { Evaluation, OuterStep } from '@glocal/proto/glocal/v1/study';
import { fallbackNote } from '../resource/fallbacks.ts';
import { type LoopParts, OuterLoop, type SavedLoop } from './outer-loop.ts';

/** How a trial ended. */
export type Outcome =
  | {
      readonly outcome: 'succeeded';
      readonly reason: string;
      readonly test: Evaluation;
      readonly averagedTest: Evaluation;
    }
  | { readonly outcome: 'infeasible'; readonly reason: string };

/** Told while the trial runs. */
export interface TrialListener {
  progress(stepsDone: number): void;
  /**
   * An outer step is complete. Training goes on when the promise resolves.
   * @param saved what follows it starts from this; undefined when nothing follows, as the trial gives up.
   */
  outerStep(outerStep: OuterStep, saved: SavedLoop | undefined): void | Promise<void>;
}

export interface TrialParts extends Omit<LoopParts, 'progress'> {
  readonly listener: TrialListener;
}

/**
 * Trains a trial to its end.
 * @param saved where to go on; from the beginning without it.
 */
export async function runTrial({ listener, ...parts }: TrialParts, saved?: SavedLoop): Promise<Outcome> {
  const loop = new OuterLoop({ ...parts, progress: (stepsDone) => listener.progress(stepsDone) }, saved);
  while (!loop.done) {
    const outerStep = await loop.step();
    await listener.outerStep(outerStep, loop.infeasible === undefined ? loop.save() : undefined);
  }
  const { outerStepsDone, stepsDone, fallbackWindows } = loop.state;
  const note = fallbackNote(fallbackWindows, outerStepsDone);
  if (loop.infeasible !== undefined) return { outcome: 'infeasible', reason: `${loop.infeasible}${note}` };
  return {
    outcome: 'succeeded',
    reason: `all ${stepsDone} inner steps done${note}`,
    test: parts.learner.evaluate('test', 'lastIterate'),
    averagedTest: parts.learner.evaluate('test', 'averaged'),
  };
}
