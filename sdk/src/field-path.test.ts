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
    ['study.space.lr', 'space.lr'],
    ['study.space.lr.initials[2]', 'space.lr.init[2]'],
    ['study.space.my.own.max', 'space.my.own.max'],
    ['study.space.batch_size', 'space.batchSize'],
    ['study.space.batch_size.values[0]', 'space.batchSize.values[0]'],
    ['study.space.augmentation.crop_padding', 'space.augmentation.cropPadding'],
    ['study.space.augmentation.crop_padding.min', 'space.augmentation.cropPadding.min'],
    ['study.space.parameters[3]', 'space.parameters[3]'],
    ['study.sampling.max_running_trials', 'sampling.maxRunningTrials'],
    ['study.labels.my_team', 'labels.my_team'],
    ['labels.my_team', 'labels.my_team'],
    ['study.space.lr.cosine.warmup_steps', 'space.lr.cosine.warmupSteps'],
    ['study.space.lr.points.points[12].value', 'space.lr.points[12].value'],
    ['study.space.lr.points.points', 'space.lr.points'],
    ['study.space.lr.points.points[12].values', 'space.lr.points[12].value'],
    ['study.space.lr.points.points[12].values[3]', 'space.lr.points[12].value[3]'],
    ['study.space.lr.points.grouping', 'space.lr.per'],
    ['study.space.my.own.replay.trial', 'space.my.own.replay.trial'],
    ['study.space', 'space'],
    ['request_id', 'requestId'],
  ])('%s is what the caller wrote as %s', (field, path) => {
    expect(fieldPath(field)).toBe(path);
  });
});
