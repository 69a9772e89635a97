/** What a fleet trains to show what it takes: trials as short as they can be, all different. */

import { float, type StudySpec, space } from '@glocal/sdk';

export const WINDOW = 10;
export const OUTER_STEPS = 4;

const scaleSpace = space({
  lr: float({ min: 1e-3, max: 1, init: 0.02, scale: 'log' }),
  momentum: float({ min: 0, max: 0.95, init: 0.1 }),
});

export type ScaleSpace = typeof scaleSpace.parameters;

/** Trials of a study, at most: each has the seed that one trial of the undisturbed study has. */
export const MOST_SEEDS = 8;

/** @param trials how many, one for each seed from 1. */
export function scaleStudy(trials: number, outerSteps = OUTER_STEPS): StudySpec<ScaleSpace> {
  return {
    displayName: 'a part of a fleet’s work',
    space: scaleSpace,
    problem: {
      ...{ dataset: 'fashion-mnist-10k', model: 'logistic', optimizer: 'sgd' },
      ...{ batchSize: 16, validationExamples: 50 },
    },
    training: { steps: outerSteps * WINDOW, seeds: Array.from({ length: trials }, (_, i) => i + 1) },
    method: { estimator: 'glocal', window: WINDOW, sigma: 5, dmd: { delays: 2 } },
  };
}

/** One that is still training when its worker has been killed. */
export const longStudy = (): StudySpec<ScaleSpace> => scaleStudy(1, 500_000);

/** Sizes of the studies that have so many trials together. */
export const studySizes = (trials: number): number[] =>
  Array.from({ length: Math.ceil(trials / MOST_SEEDS) }, (_, i) =>
    Math.min(MOST_SEEDS, trials - i * MOST_SEEDS),
  );
