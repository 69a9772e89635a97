/** Methods of StudyService that pause, resume, cancel and delete studies. */

import type { Study } from '@glocal/proto/glocal/v1/study';
import type { Limits, ResumeStudyRequest, StudyServiceService } from '@glocal/proto/glocal/v1/study_service';
import type { Logger } from 'pino';
import type { CheckpointRoot } from '../checkpoint/kept.ts';
import type { EventHub } from '../events/hub.ts';
import type { TrialQueue } from '../queue/queue.ts';
import { removeStudy } from '../queue/remove-study.ts';
import { FieldError, type FieldViolation, NotFoundError } from '../resource/errors.ts';
import { parseStudyName, parseTrialName, studyOf } from '../resource/names.ts';
import { listed, quote } from '../resource/quote.ts';
import type { ResumeRequest, Store } from '../store/store.ts';
import type { Methods } from './handlers.ts';
import { limitErrors } from './limit-errors.ts';

export interface LifecycleParts {
  readonly store: Store;
  readonly hub: EventHub;
  readonly queue: TrialQueue;
  readonly checkpoints: CheckpointRoot;
  readonly limits: Pick<Limits, 'maxActiveStudies' | 'maxOwnerActiveStudies'>;
  readonly log: Logger;
}

type LifecycleMethods = Pick<
  Methods<typeof StudyServiceService>,
  'pauseStudy' | 'resumeStudy' | 'deleteStudy' | 'cancelStudy'
>;

export function lifecycleMethods(parts: LifecycleParts): LifecycleMethods {
  const { store, queue, checkpoints, limits } = parts;

  const pointsOf = async ({ name, trials }: ResumeStudyRequest): Promise<ResumeRequest['points']> => {
    const violations: FieldViolation[] = [];
    const points: { trial: string; checkpoint: number }[] = [];
    for (const [i, { trial, outerStep }] of trials.entries()) {
      parseTrialName(trial, `trials[${i}].trial`);
      if (studyOf(trial) !== name) {
        violations.push({ field: `trials[${i}].trial`, description: `is not a trial of ${quote(name)}` });
      } else if (trials.findIndex((other) => other.trial === trial) < i) {
        violations.push({ field: `trials[${i}].trial`, description: 'is named twice' });
      } else {
        const description = await wrongCheckpoint(trial, outerStep);
        if (description !== undefined) {
          violations.push({ field: `trials[${i}].outer_step`, description });
        }
      }
      points.push({ trial, checkpoint: outerStep });
    }
    if (violations.length > 0) throw new FieldError('RESUME_POINT', violations);
    return points;
  };

  /** Why a trial cannot go on from there; undefined when it can, or the newest will do. */
  const wrongCheckpoint = async (trial: string, outerStep: number): Promise<string | undefined> => {
    if (outerStep === 0) return undefined;
    const { outerSteps } = await checkpoints.kept(trial);
    if (outerSteps.includes(outerStep)) return undefined;
    const kept = outerSteps.length === 0 ? 'none is' : `those of ${listed(outerSteps.map(String))} are`;
    return `no checkpoint of outer step ${outerStep} is kept; ${kept}`;
  };

  return {
    pauseStudy: async ({ name }) => {
      parseStudyName(name, 'name');
      return queue.pause(name);
    },

    resumeStudy: async (request): Promise<Study> => {
      parseStudyName(request.name, 'name');
      if ((await store.getStudy(request.name)) === undefined) throw new NotFoundError(request.name);
      const points = await pointsOf(request);
      return limitErrors(() => queue.resume({ name: request.name, points, ...limits }));
    },

    deleteStudy: async ({ name, force }) => {
      parseStudyName(name, 'name');
      try {
        if (force) await queue.cancel(name);
        await removeStudy(parts, name);
      } catch (error) {
        const isGone = error instanceof NotFoundError && (await store.getDeleted(name)) !== undefined;
        if (!isGone) throw error;
      }
      return {};
    },

    cancelStudy: async ({ name }) => {
      parseStudyName(name, 'name');
      return queue.cancel(name);
    },
  };
}
