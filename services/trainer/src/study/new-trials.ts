/** The trials that a study begins with. */

import { type Choice, RunMode, type Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import type { CompleteStudy, ExternalStudy } from '../resource/complete-study.ts';
import { trialName } from '../resource/names.ts';
import { initialValues } from '../resource/values.ts';
import { axesOf } from './sampling/axes.ts';
import { takePoints } from './sampling/points.ts';
import { studyOfTrial } from './trial-study.ts';

/** One for each seed at each of the study's points, in the order of the points. @param id of the study. */
export function newTrials(id: string, study: CompleteStudy | ExternalStudy): Trial[] {
  return takePoints(axesOf(study.space), study.sampling)
    .flatMap((choices) => study.training.seeds.map((seed) => ({ choices, seed })))
    .map(({ choices, seed }, number) => newTrial(trialName(id, number), seed, choices, study));
}

function newTrial(
  name: string,
  seed: number,
  choices: Choice[],
  study: CompleteStudy | ExternalStudy,
): Trial {
  return {
    name,
    seed,
    state: TrialState.PENDING,
    stateReason:
      study.mode === RunMode.EXTERNAL
        ? 'waiting for a client to report hypergradients'
        : 'waiting for a worker',
    stepsDone: 0,
    outerStepsDone: 0,
    values: initialValues(studyOfTrial(study, { choices }).space),
    validation: undefined,
    averagedValidation: undefined,
    test: undefined,
    averagedTest: undefined,
    datasetSha256: '',
    fallbackWindows: 0,
    attempts: 0,
    crashes: 0,
    workerDeaths: 0,
    choices,
    checkpoints: [],
    checkpointBytes: 0n,
    cost: 0,
    timing: undefined,
    backend: '',
    startTime: undefined,
    endTime: undefined,
  };
}
