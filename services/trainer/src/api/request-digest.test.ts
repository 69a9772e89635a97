import { DmdAbsence, Estimator, OuterSchedule, Study, StudyState } from '@glocal/proto/glocal/v1/study';
import { describe, expect, it } from 'vitest';
import { asComplete } from '../resource/complete-study.ts';
import { completeDigest, requestDigest } from './request-digest.ts';

const requested = Study.fromPartial({
  displayName: 'nightly',
  problem: { dataset: 'tiny', model: 'net', optimizer: 'sgd' },
  training: { steps: 600 },
  method: { estimator: Estimator.GLOCAL },
});

describe('the digest of a request', () => {
  it('ignores what the server sets', () => {
    const returned = {
      ...requested,
      name: 'studies/a',
      state: StudyState.COMPLETED,
      stateReason: 'done',
      createTime: new Date(),
      updateTime: new Date(),
    };
    expect(requestDigest(returned)).toEqual(requestDigest(requested));
  });

  it('changes with everything that was asked for', () => {
    const others = [
      { ...requested, displayName: 'daily' },
      { ...requested, training: { steps: 600, seeds: [0] } },
      { ...requested, method: { ...requested.method, window: 50 } },
    ].map((other) => requestDigest(Study.fromPartial(other)));
    const digests = [requestDigest(requested), ...others].map((digest) =>
      Buffer.from(digest).toString('hex'),
    );
    expect(new Set(digests).size).toBe(4);
  });
});

describe('the digest of what completion once made of a request', () => {
  it('knows nothing of the fields that studies did not have then', () => {
    const outer = { rate: 0.3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
    const ofThen = Study.fromPartial({ ...requested, space: {}, method: { window: 50, dmd: {}, outer } });
    const { method } = ofThen;
    const now = {
      ...{
        interval: 400,
        warmupWindows: 12,
        warmupWindowSteps: 25,
        tangentExamples: 32,
        dmdAbsence: DmdAbsence.PAUSE,
      },
      cost: { $case: 'exact' as const, value: true },
      outer: { ...outer, schedule: OuterSchedule.COSINE, maxLossRise: 0.3, normalize: true },
    };
    const ofToday = Study.fromPartial({ ...ofThen, method: { ...method, ...now } });
    expect(completeDigest(asComplete(ofToday))).toEqual(completeDigest(asComplete(ofThen)));
  });
});
