/** Trials that were PAUSED for something that is there again go on. */

import type { Logger } from 'pino';
import type { PauseCause } from '../lifecycle/transitions.ts';
import { studyOf } from '../resource/names.ts';
import type { TrialQueue } from './queue.ts';

export interface ResumeParts {
  readonly queue: Pick<TrialQueue, 'resumeTrial'>;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

/**
 * Lets those go on that still wait for this.
 * @param trials resource names.
 * @param answers what answers again, for people.
 */
export async function resumeWaiting(
  { queue, log }: ResumeParts,
  trials: readonly string[],
  cause: PauseCause,
  answers: string,
): Promise<void> {
  for (const trial of trials) {
    if (await queue.resumeTrial(trial, cause, 'server')) {
      log.info({ study: studyOf(trial), trial }, `a trial goes on, as the ${answers} answers`);
    }
  }
}
