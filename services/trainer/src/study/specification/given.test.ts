/** Hyperparameters that nothing moves: fixed at values of their own, or on a schedule. */

import {
  Estimator,
  FixedParameter,
  Grouping,
  type Parameter,
  type ScheduledParameter,
  Study,
} from '@glocal/proto/glocal/v1/study';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Catalogue, loadCatalogue } from '../catalogue.ts';
import type { Replayed } from '../replays.ts';
import { completeStudy } from '../specification.ts';

let catalogue: Catalogue;
beforeAll(async () => {
  catalogue = await loadCatalogue({ modelDir: undefined, log: () => {} });
});

const LIMITS = { maxSteps: 1_000_000, maxTrials: 4, maxWindowRows: 512, maxComponents: 2_000 };
const STEPS = 100;

type Kind = NonNullable<Parameter['kind']>;
type Schedule = NonNullable<ScheduledParameter['schedule']>;
const fixed = (value: Partial<FixedParameter>): Kind => ({
  $case: 'fixed',
  value: FixedParameter.create(value),
});
const scheduled = (schedule?: Schedule): Kind => ({ $case: 'scheduled', value: { schedule } });
const points = (...knots: [step: number, value: number][]) =>
  scheduled({
    $case: 'points',
    value: {
      points: knots.map(([step, value]) => ({ step, value, values: [] })),
      grouping: Grouping.NONE,
    },
  });
/** Of a vector: a number is a value for all of it. */
const vectors = (grouping: Grouping, ...knots: [step: number, values: number | readonly number[]][]) => {
  const points = knots.map(([step, values]) =>
    typeof values === 'number'
      ? { step, value: values, values: [] }
      : { step, value: 0, values: [...values] },
  );
  return scheduled({ $case: 'points', value: { points, grouping } });
};
const knot = (step: number, ...values: number[]) => ({ step, value: 0, values });
const cosine = (peak: number, final = 0, warmupSteps = 0) =>
  scheduled({ $case: 'cosine', value: { peak, final, warmupSteps } });
const cooldown = (value: number, cooldownSteps = 0, warmupSteps = 0) =>
  scheduled({ $case: 'cooldown', value: { value, cooldownSteps, warmupSteps } });
const replay = scheduled({ $case: 'replay', value: { trial: 'studies/a/trials/0', parameter: '' } });

function complete(parameters: Readonly<Record<string, Kind>>, estimator: Estimator, replayed?: Replayed) {
  const study = Study.fromPartial({
    space: { parameters: Object.entries(parameters).map(([name, kind]) => ({ name, kind })) },
    problem: { dataset: 'fashion-mnist-10k', model: 'mlp', optimizer: 'schedule-free' },
    training: { steps: STEPS },
    method: { estimator },
  });
  const replays = new Map(replayed ? [['space.lr', replayed]] : []);
  const known = { ...catalogue, replays };
  return { ...completeStudy(study, known, LIMITS), known };
}

/** The kind of `lr` in the complete study, which is complete for good. */
function completed(lr: Kind, replayed?: Replayed): Kind | undefined {
  const { study, violations, known } = complete({ lr }, Estimator.FIXED, replayed);
  expect(violations).toEqual([]);
  if (study) expect(completeStudy(study, known, LIMITS).study).toEqual(study);
  return study?.space.parameters.find(({ name }) => name === 'lr')?.kind;
}

const faults = (
  parameters: Readonly<Record<string, Kind>>,
  estimator: Estimator = Estimator.FIXED,
  replayed?: Replayed,
) =>
  complete(parameters, estimator, replayed).violations.map(
    ({ field, description }) => `${field}: ${description}`,
  );

describe('a vector', () => {
  const layers = { grouping: Grouping.LAYER };

  it('is fixed at values of its own', () => {
    const values = [0.1, 0.2];
    expect(completed(fixed({ ...layers, values }))).toEqual(fixed({ ...layers, values }));
    expect(completed(fixed({ ...layers, value: 0.1 }))).toEqual(fixed({ ...layers, value: 0.1 }));
    expect(completed(fixed({ value: 0.1 }))).toEqual(fixed({ value: 0.1, grouping: Grouping.NONE }));
    const values10 = Array<number>(10).fill(2);
    const { study } = complete(
      { lr: fixed({ value: 0.1 }), classWeights: fixed({ values: values10 }) },
      Estimator.FIXED,
    );
    expect(study?.space.parameters.at(1)?.kind).toEqual(
      fixed({ values: values10, grouping: Grouping.CLASS }),
    );
  });

  it.each<[string, Kind, string]>([
    [
      'too few values',
      fixed({ ...layers, values: [1, 2, 3] }),
      'space.lr.values: 3 values are not as many as the 2 components',
    ],
    ['values of one', fixed({ values: [1, 2, 3] }), 'space.lr.values: are for a vector'],
    ['a value beside', fixed({ ...layers, value: 1, values: [1, 2] }), 'space.lr.value: 1 is not used'],
    [
      'one that is not finite',
      fixed({ ...layers, values: [1, Number.NaN] }),
      'space.lr.values[1]: NaN is not finite',
    ],
    ['one outside', fixed({ ...layers, values: [1, -1] }), 'space.lr.values[1]: -1 is outside the domain'],
    [
      'groups that it has not',
      fixed({ grouping: Grouping.CLASS, value: 1 }),
      'space.lr.grouping: lr has one value or',
    ],
    ['an unknown grouping', fixed({ grouping: 9 as Grouping, value: 1 }), 'space.lr.grouping: 9 is unknown'],
  ])('with %s is refused', (_what, lr, fault) => {
    expect(faults({ lr })).toEqual([expect.stringContaining(fault)]);
  });
});

describe('a schedule', () => {
  it.each<[string, Kind, Kind]>([
    ['points', points([0, 0.1], [99, 0]), points([0, 0.1], [99, 0])],
    ['a cosine', cosine(0.3, 0.1, 99), cosine(0.3, 0.1, 99)],
    ['a cooldown', cooldown(0.3, 40, 60), cooldown(0.3, 40, 60)],
    ['a cooldown over the last fifth', cooldown(0.3), cooldown(0.3, 20)],
  ])('of %s is accepted', (_what, asked, expected) => {
    expect(completed(asked)).toEqual(expected);
  });

  it('of another trial is kept as points', () => {
    expect(
      completed(replay, { points: [{ step: 0, value: 0.1, values: [] }], grouping: Grouping.NONE }),
    ).toEqual(points([0, 0.1]));
  });

  it.each<[string, Kind, string]>([
    ['nothing', scheduled(), 'space.lr: has no schedule; give points, cosine, cooldown or replay'],
    ['no points', points(), 'space.lr.points.points: 0 points are not from 1 to 10000'],
    ['a point after the end', points([0, 1], [100, 1]), 'space.lr.points.points[1].step: 100 is not'],
    [
      'points that do not rise',
      points([5, 1], [5, 1]),
      'space.lr.points.points[1].step: 5 does not come after',
    ],
    [
      'a point that is no number',
      points([0, Number.NaN]),
      'space.lr.points.points[0].value: NaN is not finite',
    ],
    ['a point outside', points([0, 1], [1, -2]), 'space.lr.points.points[1].value: -2 is outside'],
    ['a peak outside', cosine(1_000), 'space.lr.cosine.peak: 1000 is outside the domain of lr'],
    ['an end outside', cosine(1, -1), 'space.lr.cosine.final: -1 is outside'],
    [
      'a warm-up over all steps',
      cosine(1, 0, 100),
      'space.lr.cosine.warmup_steps: 100 is not a number of steps from 0 to 99',
    ],
    ['a negative warm-up', cosine(1, 0, -1), 'space.lr.cosine.warmup_steps: -1 is not'],
    ['a value outside', cooldown(-1), 'space.lr.cooldown.value: -1 is outside'],
    [
      'too long a fall',
      cooldown(1, 101),
      'space.lr.cooldown.cooldown_steps: 101 is not a number of steps from 0 to 100',
    ],
    [
      'a warm-up into the fall',
      cooldown(1, 60, 41),
      'space.lr.cooldown.warmup_steps: 41 is not a number of steps from 0 to 40',
    ],
  ])('of %s is refused', (_what, lr, fault) => {
    expect(faults({ lr })).toEqual(expect.arrayContaining([expect.stringContaining(fault)]));
  });

  it('of a trial that cannot be read is refused by the field that names it', () => {
    const refused = { refused: 'there is no such trial', field: 'trial' } as const;
    expect(faults({ lr: replay }, Estimator.FIXED, refused)).toEqual([
      'space.lr.replay.trial: there is no such trial',
    ]);
    const outside = { points: [{ step: 0, value: 101, values: [] }], grouping: Grouping.NONE };
    expect(faults({ lr: replay }, Estimator.FIXED, outside)).toEqual([
      expect.stringContaining('space.lr.replay: 101 is outside the domain'),
    ]);
  });

  it('goes with FIXED only, not with settings, and, but for points, not with vectors', () => {
    const beta: Kind = {
      $case: 'float',
      value: { min: 0, max: 1, initial: 0.5, scale: 0, grouping: 0, initials: [], size: 0 },
    };
    expect(faults({ lr: cosine(0.1), beta }, Estimator.LOCAL)).toEqual([
      'space.lr: follows a schedule, which goes with FIXED only',
    ]);
    const lr = fixed({ value: 0.1 });
    expect(faults({ lr, power: cosine(2) })).toEqual([
      expect.stringContaining('space.power: keeps one value'),
    ]);
    expect(faults({ lr, classWeights: cosine(2) })).toEqual([
      'space.classWeights: has several values, which only points and a replay have',
    ]);
  });
});

describe('a schedule of a vector', () => {
  const { LAYER, CLASS, NONE, UNSPECIFIED } = Grouping;

  it('has values at each point, or one for all of it', () => {
    const each = vectors(LAYER, [0, [0.1, 0.2]], [99, [0.2, 0]]);
    expect(completed(each)).toEqual(each);
    const all = vectors(LAYER, [0, 0.1]);
    expect(completed(all)).toEqual(all);
    const ten = Array<number>(10).fill(2);
    const { study } = complete(
      { lr: fixed({ value: 0.1 }), classWeights: vectors(UNSPECIFIED, [0, ten]) },
      Estimator.FIXED,
    );
    expect(study?.space.parameters.at(1)?.kind).toEqual(vectors(CLASS, [0, ten]));
  });

  it('of another trial is kept as points, by what its values are for there', () => {
    const points = [knot(0, 0.1, 0.2), knot(50, 0.3, 0.4)];
    expect(completed(replay, { points, grouping: LAYER })).toEqual(
      vectors(LAYER, [0, [0.1, 0.2]], [50, [0.3, 0.4]]),
    );
  });

  it.each<[string, Kind, string]>([
    [
      'too few values',
      vectors(LAYER, [0, [1, 2, 3]]),
      'space.lr.points.points[0].values: 3 values are not as many as the 2 components',
    ],
    [
      'other numbers of values',
      vectors(LAYER, [0, [1, 2]], [1, [1]]),
      'space.lr.points.points[1].values: has 1 values, and the first point 2',
    ],
    [
      'values at some points only',
      vectors(LAYER, [0, [1, 2]], [1, 1]),
      'space.lr.points.points[1].values: has 0 values, and the first point 2',
    ],
    [
      'values of one',
      vectors(NONE, [0, [1, 2]]),
      'space.lr.points.points[0].values: are for a vector; say by grouping',
    ],
    [
      'a value beside',
      scheduled({
        $case: 'points',
        value: { points: [{ step: 0, value: 1, values: [1, 2] }], grouping: LAYER },
      }),
      'space.lr.points.points[0].value: 1 is not used where values are given; leave it out',
    ],
    [
      'one that is not finite',
      vectors(LAYER, [0, [1, 1]], [1, [1, Number.NaN]]),
      'space.lr.points.points[1].values[1]: NaN is not finite',
    ],
    [
      'one outside',
      vectors(LAYER, [0, [-1, 1]]),
      'space.lr.points.points[0].values[0]: -1 is outside the domain of lr',
    ],
    [
      'points that do not rise',
      vectors(LAYER, [5, [1, 1]], [4, [1, 1]]),
      'space.lr.points.points[1].step: 4 does not come after',
    ],
    [
      'groups that it has not',
      vectors(CLASS, [0, 1]),
      'space.lr.points.grouping: lr has one value or a value for each layer, not a value for each class',
    ],
  ])('with %s is refused', (_what, lr, fault) => {
    expect(faults({ lr })).toEqual([expect.stringContaining(fault)]);
  });

  it('has no more values in all than a message has room for', () => {
    const values = Array<number>(240_000).fill(1);
    expect(faults({ lr: vectors(LAYER, [0, values], [1, values]) })).toContain(
      'space.lr.points.points: 2 points of 240000 values have more than 471859 in all',
    );
  });

  it.each<[string, Replayed, string]>([
    ['layers that it has not', { points: [knot(0, 1, 2, 3)], grouping: LAYER }, '3 values are not as many'],
    ['classes', { points: [knot(0, 1, 2)], grouping: CLASS }, 'lr has one value or a value for each layer'],
    ['a size', { points: [knot(0, 1, 2)], grouping: NONE }, 'are for a vector'],
    ['a value outside', { points: [knot(0, 1, -2)], grouping: LAYER }, '-2 is outside the domain of lr'],
  ])('of another trial with %s is refused by its field', (_what, replayed, fault) => {
    expect(faults({ lr: replay }, Estimator.FIXED, replayed)).toEqual([
      expect.stringContaining(`space.lr.replay: ${fault}`),
    ]);
  });
});
