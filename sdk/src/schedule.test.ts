import { describe, expect, it } from 'vitest';
import { joinSchedule, Schedule } from './schedule.ts';
import {
  categorical,
  type FixedParameter,
  type FloatParameter,
  fixed,
  float,
  network,
  scheduled,
  space,
  type VectorParameter,
  vector,
} from './space.ts';

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

it('is plain data for JSON', () => {
  expect(schedule.toJson()).toEqual({ columns, points: [first, second] });
});

describe.each([
  ['CSV', () => Schedule.fromCsv(schedule.toCsv())],
  ['JSON', () => Schedule.fromJson(JSON.stringify(schedule.toJson()))],
  ['plain data', () => Schedule.fromJson(schedule.toJson())],
])('what was written as %s', (_format, read) => {
  it('is read as the same', () => {
    expect(read()).toEqual(schedule);
    expect(read().toCsv()).toBe(schedule.toCsv());
  });
});

describe('a text that is not of a schedule', () => {
  it.each([
    ['', 'line 1: does not begin with step'],
    ['step,lr\n', 'the schedule has no points'],
    ['step,lr\n5,1\n', 'line 2: has step 5, and a schedule begins with 0'],
    ['step,lr\n0,1\n0,1\n', 'line 3: has step 0, which does not come after 0'],
    ['step,lr\n0,1\n0.5,1\n', 'line 3: has no whole number of steps'],
    ['step,lr\n0,1,2\n', 'line 2: has 2 values for 1 column'],
    ['step,lr\n0,\n', 'line 2: has a value that is not a finite number'],
  ])('%j is refused by its line', (csv, message) => {
    expect(() => Schedule.fromCsv(csv)).toThrow(
      expect.objectContaining({ message, code: 'INVALID_ARGUMENT', reason: 'NOT_READABLE' }),
    );
  });

  it.each([
    ['{', /^schedule: /],
    ['null', /^columns: is not a list of names$/],
    ['{"columns":["lr"]}', /^points: is not a list$/],
    ['{"columns":["lr"],"points":[null]}', /^points\[0\]: has no whole number of steps$/],
    [
      '{"columns":["lr"],"points":[{"step":0,"values":["1"]}]}',
      /^points\[0\]: has a value that is not a finite/,
    ],
  ])('%s is refused by its field', (json, message) => {
    expect(() => Schedule.fromJson(json)).toThrow(
      expect.objectContaining({ message: expect.stringMatching(message), reason: 'NOT_READABLE' }),
    );
  });
});

describe('as parameters of another study', () => {
  const long = new Schedule<{ lr: FloatParameter; weightDecay: FixedParameter }>(columns, [
    { step: 0, values: [0.01, 5e-4] },
    { step: 50, values: [0.02, 5e-4] },
    { step: 51, values: [0.03, 5e-4] },
    { step: 60, values: [0.03, 5e-4] },
    { step: 100, values: [0.04, 5e-4] },
  ]);

  it('what moved has the first and the last step of each value, what did not is fixed', () => {
    expect(long.toScheduled()).toEqual({
      lr: scheduled({
        points: [
          { step: 0, value: 0.01 },
          { step: 49, value: 0.01 },
          { step: 50, value: 0.02 },
          { step: 51, value: 0.03 },
        ],
      }),
      weightDecay: fixed(5e-4),
    });
  });

  it('values that come later than its steps are left out', () => {
    expect(() => long.toScheduled({ steps: 0 })).toThrow('steps: 0 is not a whole number from 1');
    expect(long.toScheduled({ steps: 50 }).lr).toEqual(fixed(0.01));
    expect(long.toScheduled({ steps: 101 }).lr).toMatchObject({
      points: expect.arrayContaining([
        { step: 99, value: 0.03 },
        { step: 100, value: 0.04 },
      ]),
    });
  });

  it('a vector that never moved is fixed as it was, one that moved has all its values at each point', () => {
    const rows = [
      { step: 0, values: [0.1, 0.2, 1, 2] },
      { step: 50, values: [0.1, 0.2, 1, 3] },
    ];
    const vectors = new Schedule(['lr/conv1', 'lr/dense1', 'classWeights/0', 'classWeights/1'], rows);
    expect(vectors.toScheduled({ steps: 50 })).toEqual({
      lr: fixed([0.1, 0.2], { per: 'layer' }),
      classWeights: fixed([1, 2], { per: 'class' }),
    });
    expect(vectors.toScheduled({ steps: 51 })).toEqual({
      lr: fixed([0.1, 0.2], { per: 'layer' }),
      classWeights: scheduled({
        points: [
          { step: 0, value: [1, 2] },
          { step: 49, value: [1, 2] },
          { step: 50, value: [1, 3] },
        ],
        per: 'class',
      }),
    });
  });

  it('a vector of a trial is as that had it, and a network is refused', async () => {
    const trial = {
      space: space({ mix: vector({ size: 2, min: 0, max: 1, init: 0.1 }), reweighting: network() }),
      choices: {},
    };
    const joined = (parameters: string[], values: number[]) =>
      joinSchedule(async () => ({ parameters, points: [{ step: 0, values }], nextPageToken: '' }), trial);
    expect((await joined(['mix/0', 'mix/1'], [0.1, 0.2])).toScheduled()).toEqual({ mix: fixed([0.1, 0.2]) });
    const moved = async () => ({
      parameters: ['mix/0', 'mix/1'],
      points: [
        { step: 0, values: [0.1, 0.1] },
        { step: 1, values: [0.2, 0.1] },
      ],
      nextPageToken: '',
    });
    expect((await joinSchedule(moved, trial)).toScheduled({ steps: 2 })).toEqual({
      mix: scheduled({
        points: [
          { step: 0, value: [0.1, 0.1] },
          { step: 1, value: [0.2, 0.1] },
        ],
      }),
    });
    const weights = await joined(['reweighting/0'], [1]);
    expect(() => weights.toScheduled()).toThrow('reweighting: is a network, whose weights cannot be given');
  });
});

it('joins its pages in their order', async () => {
  const pages = async (pageToken: string) =>
    pageToken === ''
      ? { parameters: columns, points: [first], nextPageToken: 'more' }
      : { parameters: columns, points: [second], nextPageToken: '' };
  const joined = await joinSchedule(pages, { space: space({}), choices: {} });
  expect(joined.columns).toEqual(columns);
  expect(joined.points).toEqual(schedule.points);
});

it('has what the trial has chosen at every point, but for where values start', async () => {
  const rate = float({ min: 0, max: 1, init: [0.01, 0.1] });
  const searched = space({ lr: rate, optimizer: categorical(['sgd', 'adam']) });
  const page = { parameters: columns, points: [first, second], nextPageToken: '' };
  const trial = { space: searched, choices: { lr: 0.1, optimizer: 'sgd' } };
  const { points } = await joinSchedule<typeof searched.parameters>(async () => page, trial);
  expect(points.map(({ values }) => values.optimizer)).toEqual(['sgd', 'sgd']);
  expect(points[0]?.values.lr).toBe(0.01);
});
