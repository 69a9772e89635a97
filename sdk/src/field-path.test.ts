import { describe, expect, it } from 'vitest';
import { fieldPath } from './field-path.ts';

describe('fieldPath', () => {
  it.each([
    ['study.method.dmd.svd_rank', 'method.dmd.svdRank'],
    ['study.problem.batch_size', 'problem.batchSize'],
    ['study.display_name', 'displayName'],
    ['study.space.lr.initial', 'space.lr.init'],
    ['study.space.lr.grouping', 'space.lr.per'],
    ['study.space.reweighting.hidden_units', 'space.reweighting.hiddenUnits'],
    ['study.space.weight_decay.min', 'space.weight_decay.min'],
    ['study.space', 'space'],
    ['request_id', 'requestId'],
  ])('%s is what the caller wrote as %s', (field, path) => {
    expect(fieldPath(field)).toBe(path);
  });
});
