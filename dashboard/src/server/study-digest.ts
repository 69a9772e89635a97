/** What a study has found so far, for the list of studies. */

import type { Study, Trial } from '@glocal/sdk';
import type { Figure, StudyDigest } from '../api.ts';
import { finite } from './rows.ts';

/** A course is not read for the list where its outer steps have more entries than this. */
const MOST_ENTRIES = 20_000;
/** Points of a course. */
const POINTS = 40;

/**
 * Its best trial so far.
 * @param spark whether the course of its validation loss is read, too
 */
export async function digestOf(study: Study, spark: boolean): Promise<StudyDigest> {
  const trials: Trial[] = [];
  for await (const trial of study.trials()) trials.push(trial);
  const averaged = study.method.evaluation === 'averaged';
  const read = (trial: Trial) =>
    averaged ? (trial.averagedValidation ?? trial.validation) : trial.validation;
  const loss = (trial: Trial): number => {
    const found = read(trial)?.loss ?? Number.NaN;
    return Number.isFinite(found) ? found : Number.POSITIVE_INFINITY;
  };
  const [best] = trials.toSorted((a, b) => (loss(a) < loss(b) ? -1 : 1));
  const done = trials.reduce((sum, { stepsDone }) => sum + stepsDone, 0);
  const ended = trials.length > 0 && trials.every(({ endTime }) => endTime !== undefined);
  return {
    name: study.name,
    loss: finite(best === undefined ? Number.NaN : loss(best)),
    accuracy: finite((best && read(best)?.accuracy) ?? Number.NaN),
    cost: finite(best?.cost ?? Number.NaN),
    progress: ended ? 1 : done / Math.max(1, trials.length * study.training.steps),
    trials: trials.length,
    ...(spark && best !== undefined && { spark: await courseOf(study, best, averaged) }),
  };
}

async function courseOf(study: Study, trial: Trial, averaged: boolean): Promise<readonly Figure[]> {
  if (trial.outerStepsDone * entriesOf(trial) > MOST_ENTRIES) return [];
  const losses: number[] = [];
  for await (const step of study.outerSteps({ trial: trial.name }))
    losses.push((averaged ? step.averagedValidation : step.validation).loss);
  const every = Math.max(1, Math.ceil(losses.length / POINTS));
  return losses.filter((_, i) => (losses.length - 1 - i) % every === 0).map(finite);
}

const entriesOf = ({ values }: Trial): number =>
  Object.values(values).reduce((sum: number, value) => sum + (Array.isArray(value) ? value.length : 1), 0);
