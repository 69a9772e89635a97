/** At which weights a trial's figures are read. */

import type { EvaluationPoint } from './enums.ts';
import type { Evaluation, Trial } from './trial.ts';

/** Figures at one point of a trial. */
export interface Readout {
  readonly validation: Evaluation | undefined;
  readonly test: Evaluation | undefined;
}

type TrialFigures = Pick<Trial, 'validation' | 'averagedValidation' | 'test' | 'averagedTest'>;

/**
 * Figures at the weights that the study's hypergradients are taken at, which is what was tuned: with `averaged` the running
 * average (of a Schedule-Free optimizer nothing else is worth reading). Where a trial has none there, those of its last weights.
 */
export function readout(trial: TrialFigures, evaluation: EvaluationPoint): Readout {
  const { validation, averagedValidation, test, averagedTest } = trial;
  return evaluation === 'averaged'
    ? { validation: averagedValidation ?? validation, test: averagedTest ?? test }
    : { validation, test };
}
