/** A caller who pauses a study and lets it go on, while faults are made. */

import { setTimeout as sleep } from 'node:timers/promises';
import { StudyState } from '@glocal/proto/glocal/v1/study';
import { StudyServiceService as Api } from '@glocal/proto/glocal/v1/study_service';
import { studyStateName } from '@glocal/trainer/testing';
import { type ServiceError, status } from '@grpc/grpc-js';
import type { Channel } from '../support/grpc.ts';
import { type Finding, lost } from './finding.ts';
import { patiently } from './patience.ts';

/** Outer steps from a resumption to the next pause: a study that is paused before it gets anywhere would never end. */
const OUTER_STEPS = 5;
const LOOK_EVERY_MS = 200;
/** Milliseconds that it is paused. */
const PAUSED = 400;

/** Until the study has ended. @returns pauses and resumptions that were acknowledged and did not hold. */
export async function pauseNowAndThen(
  channel: Channel,
  name: string,
  signal: AbortSignal,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const state = async () => (await patiently(signal, () => channel.unary(Api.getStudy, { name }))).state;
  const expectOther = async (acknowledged: string, refuted: StudyState) => {
    if ((await state()) === refuted)
      findings.push(lost(`${acknowledged} of ${name}: it is ${studyStateName(refuted)}`));
  };
  const outerSteps = async () => {
    const page = { parent: name, pageSize: 1_000, pageToken: '' };
    const { trials } = await patiently(signal, () => channel.unary(Api.listTrials, page));
    return trials.reduce((sum, { outerStepsDone }) => sum + outerStepsDone, 0);
  };
  for (;;) {
    const until = (await outerSteps()) + OUTER_STEPS;
    while ((await outerSteps()) < until) {
      if ((await state()) !== StudyState.ACTIVE) return findings;
      await sleep(LOOK_EVERY_MS, undefined, { signal });
    }
    if (!(await unlessEnded(() => channel.unary(Api.pauseStudy, { name }), signal))) return findings;
    await sleep(PAUSED, undefined, { signal });
    await expectOther('the pause', StudyState.ACTIVE);
    if (!(await unlessEnded(() => channel.unary(Api.resumeStudy, { name, trials: [] }), signal)))
      return findings;
    await expectOther('the resumption', StudyState.PAUSED);
  }
}

/** @returns whether it was done; false when the study has ended. */
async function unlessEnded(call: () => Promise<unknown>, signal: AbortSignal): Promise<boolean> {
  try {
    await patiently(signal, call);
    return true;
  } catch (error) {
    const { code, details } = error as ServiceError;
    if (code === status.FAILED_PRECONDITION && / is (COMPLETED|FAILED|CANCELLED) /.test(details))
      return false;
    throw error;
  }
}
