/** Studies in a database that are to be copied: made through the store itself, of a trial that was really trained. */

import {
  type OuterStep,
  type Study,
  StudyState,
  type Trial,
  TrialState,
} from '@glocal/proto/glocal/v1/study';
import { StudyServiceService as Api } from '@glocal/proto/glocal/v1/study_service';
import { float, space } from '@glocal/sdk';
import type { Store } from '@glocal/trainer/testing';
import { WINDOW } from '../../scale/study.ts';
import { Channel } from '../../support/grpc.ts';
import { TestTrainer } from '../../support/trainer.ts';

/** Of each study. */
export const TRIALS = 10;
/** What an ended trial of a study that has ended has, and of one that has not. */
export const LONG = 11;
export const SHORT = 2;
/** Trials of a study that has not ended that have. */
const ENDED = 5;

/** As it was trained, in eleven outer steps. */
interface Trained {
  readonly study: Study;
  readonly trial: Trial;
  readonly outerSteps: readonly OuterStep[];
}

export interface Template {
  readonly name: string;
  /** Trials that wait. */
  readonly waiting: number;
  readonly outerSteps: number;
}

/** @param store an empty one. @returns a study that has ended, and one that has not. */
export async function makeTemplates(store: Store): Promise<{ ended: Template; active: Template }> {
  const trained = await train();
  return {
    ended: await make(store, trained, '01K0000000000000000000000A', TRIALS, LONG),
    active: await make(store, trained, '01K0000000000000000000000B', ENDED, SHORT),
  };
}

async function train(): Promise<Trained> {
  await using trainer = await TestTrainer.start({ args: ['--backend', 'cpu'] });
  const study = await trainer.client.studies.create({
    displayName: 'a study of many',
    space: space({
      lr: float({ min: 1e-4, max: 1, init: 0.02, scale: 'log' }),
      momentum: float({ min: 0, max: 0.95, init: 0.1 }),
      weightDecay: float({ min: 1e-6, max: 1, init: 1e-3, scale: 'log' }),
    }),
    problem: { dataset: 'fashion-mnist-10k', model: 'logistic', optimizer: 'sgd', batchSize: 16 },
    training: { steps: LONG * 2 * WINDOW },
    method: { estimator: 'glocal', window: 2 * WINDOW, sigma: 2 * WINDOW },
  });
  await study.result();
  using channel = new Channel(trainer.address);
  const page = { pageSize: 100, pageToken: '' };
  const { trials } = await channel.unary(Api.listTrials, { parent: study.name, ...page });
  const parent = `${study.name}/trials/0`;
  const listed = await channel.unary(Api.listOuterSteps, { parent, ...page, includeWindows: true });
  return {
    study: await channel.unary(Api.getStudy, { name: study.name }),
    trial: trials[0] as Trial,
    outerSteps: listed.outerSteps,
  };
}

/** @param ended trials that have. @param steps outer steps of each of them. */
async function make(
  store: Store,
  trained: Trained,
  id: string,
  ended: number,
  steps: number,
): Promise<Template> {
  const name = `studies/${id}`;
  const { startTime: _started, endTime: _ended, test, ...waiting } = trained.trial;
  await store.createStudy({
    study: { ...trained.study, name, state: StudyState.ACTIVE, stateReason: '' },
    trials: Array.from({ length: TRIALS }, (_, seed) => ({
      ...waiting,
      ...{ name: `${name}/trials/${seed}`, seed, state: TrialState.PENDING, stateReason: '' },
      ...{
        stepsDone: 0,
        outerStepsDone: 0,
        attempts: 0,
        test: undefined,
        startTime: undefined,
        endTime: undefined,
      },
    })),
    requestId: id,
    fingerprint: Buffer.alloc(32, id),
    maxActiveStudies: Number.MAX_SAFE_INTEGER,
  });
  for (let i = 0; i < ended; i++) {
    const claim = (await store.startTrial(`${name}/trials/${i}`)).claim;
    for (const outerStep of trained.outerSteps.slice(0, steps)) {
      await store.addOuterStep(claim, { ...outerStep, name: `${claim.trial}/outerSteps/${outerStep.index}` });
    }
    await store.endTrial(claim, { state: TrialState.SUCCEEDED, reason: 'all steps done', test });
  }
  return { name, waiting: TRIALS - ended, outerSteps: ended * steps };
}
