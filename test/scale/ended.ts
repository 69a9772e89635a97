/** Trials that have ended, as they are accounted for; and those of a study that nobody disturbs. */

import type { Study, StudySpec } from '@glocal/sdk';
import { TestTrainer } from '../support/trainer.ts';
import { trajectoryOf } from '../support/trajectory.ts';
import type { EndedTrial } from './account.ts';
import type { ScaleSpace } from './study.ts';

/** One backend for all, with or without the native runtime. */
export const BACKEND = ['--backend', 'cpu'];

/** Trains a study in a trainer of its own. @returns its trials by seed. */
export async function undisturbed(
  spec: StudySpec<ScaleSpace>,
  signal?: AbortSignal,
): Promise<Map<number, EndedTrial>> {
  const options = signal === undefined ? {} : { signal };
  await using trainer = await TestTrainer.start({ args: [...BACKEND, '--max-running-trials', '2'] });
  const study = await trainer.client.studies.create(spec, options);
  await study.result(options);
  return new Map((await endedTrials(study, signal)).map((trial) => [trial.seed, trial]));
}

export async function endedTrials(study: Study<ScaleSpace>, signal?: AbortSignal): Promise<EndedTrial[]> {
  const options = signal === undefined ? {} : { signal };
  const ended: EndedTrial[] = [];
  for await (const { name, seed, state, stateReason, test } of study.trials(options)) {
    const steps = await Array.fromAsync(study.outerSteps({ trial: name, includeWindows: true, ...options }));
    ended.push({ name, seed, state, stateReason, steps: trajectoryOf(steps), result: test });
  }
  return ended;
}
