import { expect, it } from 'vitest';
import { joinSchedule, Schedule } from './schedule.ts';
import type { FixedParameter, FloatParameter, VectorParameter } from './space.ts';

const columns = ['lr', 'weightDecay'];
const first = { step: 0, values: [0.01, 5e-4] };
const second = { step: 50, values: [0.1 + 0.2, 1e-7] };
const schedule = new Schedule<{ lr: FloatParameter; weightDecay: FixedParameter }>(columns, [first, second]);

it('gives values by name', () => {
  expect(schedule.points[1]).toEqual({ step: 50, values: { lr: 0.1 + 0.2, weightDecay: 1e-7 } });
});

it('puts the values of a vector together', () => {
  const vectors = new Schedule<{ lr: VectorParameter; momentum: FloatParameter }>(
    ['lr/conv1', 'lr/dense1', 'momentum'],
    [{ step: 0, values: [0.1, 0.2, 0.9] }],
  );
  expect(vectors.points[0]?.values).toEqual({ lr: [0.1, 0.2], momentum: 0.9 });
  expect(vectors.toCsv()).toBe('step,lr/conv1,lr/dense1,momentum\n0,0.1,0.2,0.9\n');
});

it('writes CSV that keeps every digit', () => {
  expect(schedule.toCsv()).toBe('step,lr,weightDecay\n0,0.01,0.0005\n50,0.30000000000000004,1e-7\n');
});

it('joins its pages in their order', async () => {
  const joined = await joinSchedule(async (pageToken) =>
    pageToken === ''
      ? { parameters: columns, points: [first], nextPageToken: 'more' }
      : { parameters: columns, points: [second], nextPageToken: '' },
  );
  expect(joined.columns).toEqual(columns);
  expect(joined.points).toEqual(schedule.points);
});
