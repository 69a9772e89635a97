import { Estimator, Study, StudyState } from '@glocal/proto/glocal/v1/study';
import { describe, expect, it } from 'vitest';
import { requestDigest } from './request-digest.ts';

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
