/** What a study has found so far, for the list of studies. */

import type { ListedTrial, Study, Trial } from '@glocal/sdk';
import type { Figure, StudyDigest } from '../api.ts';
import { finite } from './rows.ts';

/** A course is not read for the list where its outer steps have more entries than this. */
const MOST_ENTRIES = 20_000;
/** Points of a course. */
const POINTS = 40;

/** Its best trial so far, and the figures of that. @param trials all that it has */
export function digestOf<One extends ListedTrial>(
  study: Study,
  trials: readonly One[],
): { readonly digest: StudyDigest; readonly best: One | undefined } {
  const averaged = isAveraged(study);
  const read = (trial: ListedTrial) =>
    averaged ? (trial.averagedValidation ?? trial.validation) : trial.validation;
  const loss = (trial: ListedTrial): number => {
    const found = read(trial)?.loss ?? Number.NaN;
    return Number.isFinite(found) ? found : Number.POSITIVE_INFINITY;
  };
  const [best] = trials.toSorted((a, b) => (loss(a) < loss(b) ? -1 : 1));
  const done = trials.reduce((sum, { stepsDone }) => sum + stepsDone, 0);
  const ended = trials.length > 0 && trials.every(({ endTime }) => endTime !== undefined);
  const digest = {
    name: study.name,
    loss: finite(best === undefined ? Number.NaN : loss(best)),
    accuracy: finite((best && read(best)?.accuracy) ?? Number.NaN),
    cost: finite(best?.cost ?? Number.NaN),
    progress: ended ? 1 : done / Math.max(1, trials.length * study.training.steps),
    trials: trials.length,
  };
  return { digest, best };
}

/** Validation loss of a trial over its outer steps, thinned; empty where it is too much to read. */
export async function courseOf(study: Study, trial: Trial): Promise<readonly Figure[]> {
  if (trial.outerStepsDone === 0 || trial.outerStepsDone * entriesOf(trial) > MOST_ENTRIES) return [];
  const averaged = isAveraged(study);
  const losses: number[] = [];
  for await (const step of study.outerSteps({ trial: trial.name, pageSize: 1_000 }))
    losses.push((averaged ? step.averagedValidation : step.validation).loss);
  const every = Math.max(1, Math.ceil(losses.length / POINTS));
  return losses.filter((_, i) => (losses.length - 1 - i) % every === 0).map(finite);
}

const entriesOf = ({ values }: Trial): number =>
  Object.values(values).reduce((sum: number, value) => sum + (Array.isArray(value) ? value.length : 1), 0);

const isAveraged = ({ method }: Study): boolean => method.evaluation === 'averaged';
