/** Studies for tests of the trainer: real training that takes a second or two, and one that does not end by itself. */

import {
  type Estimator,
  fixed,
  float,
  type OuterStepEvent,
  type ParameterMap,
  type Study,
  type StudyEvent,
  type StudySpec,
  space,
} from '@glocal/sdk';

export const quickSpace = space({
  lr: float({ min: 1e-3, max: 1, init: 0.02, scale: 'log' }),
  momentum: float({ min: 0, max: 0.95, init: 0.1 }),
  weightDecay: fixed(5e-4),
});

export type QuickSpace = typeof quickSpace.parameters;

export const WINDOW = 20;
export const SIGMA = 10;
export const DELAYS = 3;
export const VALIDATION = 100;
/** Of the hyperparameters, in their unconstrained coordinates. */
export const OUTER_RATE = 0.3;

export interface QuickOptions {
  readonly estimator?: Estimator;
  readonly outerSteps?: number;
  readonly seeds?: readonly number[];
}

/** Three outer steps on a small network. */
export function quickStudy(options: QuickOptions = {}): StudySpec<QuickSpace> {
  const { estimator = 'glocal', outerSteps = 3, seeds = [1] } = options;
  return {
    displayName: `a test of ${estimator}`,
    space: quickSpace,
    problem: {
      dataset: 'fashion-mnist-10k',
      model: 'mlp',
      optimizer: 'sgd',
      batchSize: 32,
      validationExamples: VALIDATION,
    },
    training: { steps: outerSteps * WINDOW, seeds },
    method: {
      estimator,
      window: WINDOW,
      sigma: SIGMA,
      dmd: { delays: DELAYS },
      // One whose first move is by this rate, whatever the hypergradient.
      outer: { rate: OUTER_RATE, schedule: 'constant', normalize: false, epsilon: 1e-8 },
    },
  };
}

/** A study that is still training when a test has done to it what it wants to do. */
export const longStudy = (options: Omit<QuickOptions, 'outerSteps'> = {}): StudySpec<QuickSpace> =>
  quickStudy({ ...options, outerSteps: 50_000 });

/** The next event of the study that is of this type; the first one at all unless `cursor` says where to start. */
async function nextEvent<P extends ParameterMap, Type extends StudyEvent['type']>(
  study: Study<P>,
  type: Type,
  cursor?: string,
): Promise<Extract<StudyEvent<P>, { type: Type }>> {
  for await (const event of study.watch({ cursor })) {
    if (event.type === type) return event as Extract<StudyEvent<P>, { type: Type }>;
  }
  throw new Error(`${study.name} ended as ${study.state}, ${study.stateReason}, without an event ${type}`);
}

/** Waits until the study trains, so that there is something to disturb. */
export const training = <P extends ParameterMap>(study: Study<P>): Promise<OuterStepEvent<P>> =>
  nextEvent(study, 'outerStep');
