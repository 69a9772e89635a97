import { Grouping, Scale, SearchSpace } from '@glocal/proto/glocal/v1/study';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SearchPoint } from './search-point.ts';

const float = (
  name: string,
  min: number,
  max: number,
  initial: number,
  scale: Scale,
  grouping: Grouping = Grouping.NONE,
) => ({
  name,
  kind: { $case: 'float' as const, value: { min, max, initial, scale, grouping, initials: [], size: 0 } },
});
const shape = {
  layers: ['conv1', 'dense1'],
  classes: 3,
  initialNetwork: (hiddenUnits: number) =>
    Float64Array.from({ length: 3 * hiddenUnits + 1 }, (_, i) => i / 10),
};
const space = SearchSpace.fromPartial({
  parameters: [
    float('lr', 1e-4, 1, 0.01, Scale.LOG),
    { name: 'momentum', kind: { $case: 'fixed', value: { value: 0.9 } } },
    float('weightDecay', 0, 1, 0.25, Scale.LOGIT),
    float('shift', -1, 1, 1, Scale.LINEAR),
  ],
});
const point = new SearchPoint(space, shape);
const named = (phi: Float64Array) =>
  Object.fromEntries(point.values(phi, 0).map(({ name, value }) => [name, value]));

describe('SearchPoint', () => {
  it('has a component for each learned hyperparameter, in the order of the space', () => {
    expect(point.components).toEqual(['lr', 'weightDecay', 'shift']);
    expect([...point.initial]).toEqual([Math.log(0.01), expect.closeTo(Math.log(0.25 / 0.75), 12), 1]);
  });

  it('starts at the initial values, with the fixed ones in their place', () => {
    expect(point.values(point.initial, 0).map(({ name }) => name)).toEqual([
      'lr',
      'momentum',
      'weightDecay',
      'shift',
    ]);
    expect(named(point.initial)).toMatchObject({ momentum: 0.9, shift: 1 });
    expect(named(point.initial).lr).toBeCloseTo(0.01, 12);
  });

  it('gives an initial value back as it was given, on every scale and in vectors', () => {
    const written = fc.double({ min: 1e-6, max: 1, minExcluded: true, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(written, fc.constantFrom(Scale.LOGIT, Scale.LOG, Scale.LINEAR), (initial, scale) => {
        const parameters = [
          float('lr', 1e-6, 1, initial, scale),
          float('weightDecay', 1e-6, 1, initial, scale, Grouping.CLASS),
        ];
        const given = new SearchPoint({ parameters }, shape);
        expect(given.values(given.initial, 0)).toEqual([
          { name: 'lr', value: initial, values: [] },
          { name: 'weightDecay', value: initial, values: [initial, initial, initial] },
        ]);
        expect(given.trainingValues(given.initial, 0)).toEqual({
          lr: [initial],
          weightDecay: [initial, initial, initial],
        });
      }),
      {
        examples: [
          [0.1, Scale.LOGIT],
          [0.1, Scale.LOG],
          [0.3, Scale.LOG],
        ],
      },
    );
  });

  it('gives derivatives that agree with differences of the values', () => {
    const component = fc.double({ min: -3, max: -0.5, noNaN: true });
    fc.assert(
      fc.property(fc.tuple(component, component, component), (phi) => {
        const here = Float64Array.from([phi[0], phi[1], phi[2] / 4]);
        const slopes = point.derivatives(here);
        point.components.forEach((name, k) => {
          const moved = (by: number) => named(here.map((x, i) => (i === k ? x + by : x)))[name] ?? Number.NaN;
          expect(slopes[k]).toBeCloseTo((moved(1e-6) - moved(-1e-6)) / 2e-6, 7);
        });
      }),
    );
  });

  it('clips to the bounds, but never a logit', () => {
    expect([...point.clip(Float64Array.of(5, 50, -7))]).toEqual([0, 50, -1]);
  });

  it('refuses a point of another length', () => {
    expect(() => point.values(Float64Array.of(1), 0)).toThrow(/component 1 is missing/);
  });

  it('refuses a scale that nobody has checked', () => {
    const unchecked = SearchSpace.fromPartial({ parameters: [float('lr', 0, 1, 0.5, Scale.UNSPECIFIED)] });
    expect(() => new SearchPoint(unchecked, shape)).toThrow(/not checked/);
  });
});

describe('vectors and networks', () => {
  const vectors = new SearchPoint(
    SearchSpace.fromPartial({
      parameters: [
        float('lr', 0, 1, 0.25, Scale.LINEAR, Grouping.LAYER),
        { name: 'momentum', kind: { $case: 'fixed', value: { value: 0.9 } } },
        float('classWeights', 0, 2, 1, Scale.LOGIT, Grouping.CLASS),
        { name: 'reweighting', kind: { $case: 'network', value: { hiddenUnits: 1, detached: false } } },
      ],
    }),
    shape,
  );

  it('have a component for each layer, class or weight, named after it', () => {
    expect(vectors.components).toEqual([
      'lr/conv1',
      'lr/dense1',
      'classWeights/0',
      'classWeights/1',
      'classWeights/2',
      'reweighting/0',
      'reweighting/1',
      'reweighting/2',
      'reweighting/3',
    ]);
    expect(vectors.learned.slice(0, 3)).toEqual([
      { name: 'lr', index: 0 },
      { name: 'lr', index: 1 },
      { name: 'classWeights', index: 0 },
    ]);
  });

  it('make whole steps, but for the weights of a network of more than four hidden units', () => {
    expect(vectors.stepShares).toBeUndefined();
    const reweighting = (hiddenUnits: number) =>
      ({ name: 'reweighting', kind: { $case: 'network', value: { hiddenUnits, detached: false } } }) as const;
    const parameters = [float('lr', 0, 1, 0.25, Scale.LINEAR), reweighting(8)];
    const { stepShares } = new SearchPoint(SearchSpace.fromPartial({ parameters }), shape);
    expect([...(stepShares ?? [])].slice(0, 3)).toEqual([1, 0.5, 0.5]);
  });

  it('start alike, a network where its seed says, and move on their own', () => {
    const phi = vectors.initial;
    phi[1] = 0.5;
    expect(vectors.trainingValues(phi, 0)).toEqual({
      lr: [0.25, 0.5],
      momentum: [0.9],
      classWeights: [1, 1, 1],
      reweighting: [0, 0.1, 0.2, 0.3],
    });
  });

  it('are fixed at values of their own, or all at one', () => {
    const fixed = new SearchPoint(
      SearchSpace.fromPartial({
        parameters: [
          { name: 'lr', kind: { $case: 'fixed', value: { values: [0.1, 0.3], grouping: Grouping.LAYER } } },
          { name: 'classWeights', kind: { $case: 'fixed', value: { value: 2, grouping: Grouping.CLASS } } },
        ],
      }),
      shape,
    );
    expect(fixed.components).toEqual([]);
    expect(fixed.trainingValues(fixed.initial, 0)).toEqual({ lr: [0.1, 0.3], classWeights: [2, 2, 2] });
    expect(fixed.values(fixed.initial, 0)[0]).toEqual({ name: 'lr', value: 0.2, values: [0.1, 0.3] });
  });

  it('are told by all their values and the mean of them', () => {
    const [lr, momentum] = vectors.values(vectors.initial, 0);
    expect(lr).toEqual({ name: 'lr', value: 0.25, values: [0.25, 0.25] });
    expect(momentum).toEqual({ name: 'momentum', value: 0.9, values: [] });
  });
});

it('what follows a schedule has the value of each step', () => {
  const schedule = { $case: 'cosine' as const, value: { peak: 2, final: 0, warmupSteps: 0 } };
  const parameters = [{ name: 'lr', kind: { $case: 'scheduled' as const, value: { schedule } } }];
  const scheduled = new SearchPoint({ parameters }, { ...shape, steps: 4 });
  expect(scheduled.isScheduled).toBe(true);
  const { initial } = scheduled;
  expect([0, 2, 4].map((step) => scheduled.trainingValues(initial, step).lr)).toEqual([[2], [1], [0]]);
  expect(scheduled.values(initial, 2)).toEqual([{ name: 'lr', value: 1, values: [] }]);
});

it('vectors follow the values of their points, or all the value of a point', () => {
  const points = [
    { step: 0, values: [0, 1] },
    { step: 2, values: [1, 0] },
  ];
  const follows = (name: string, value: object) => ({
    name,
    kind: { $case: 'scheduled' as const, value: { schedule: { $case: 'points' as const, value } } },
  });
  const parameters = [
    follows('lr', { points, grouping: Grouping.LAYER }),
    follows('classWeights', { points: [{ step: 0, value: 2 }], grouping: Grouping.CLASS }),
  ];
  const scheduled = new SearchPoint(SearchSpace.fromPartial({ parameters }), { ...shape, steps: 4 });
  const { initial } = scheduled;
  expect(scheduled.components).toEqual([]);
  expect([0, 1, 3].map((step) => scheduled.trainingValues(initial, step))).toEqual([
    { lr: [0, 1], classWeights: [2, 2, 2] },
    { lr: [0.5, 0.5], classWeights: [2, 2, 2] },
    { lr: [1, 0], classWeights: [2, 2, 2] },
  ]);
  expect(scheduled.values(initial, 1)).toEqual([
    { name: 'lr', value: 0.5, values: [0.5, 0.5] },
    { name: 'classWeights', value: 2, values: [2, 2, 2] },
  ]);
});

describe('lowerRates', () => {
  const lowered = (min: number, scale: Scale, times: number) => {
    const parameters = [
      float('lr', min, 1, 0.5, scale, Grouping.LAYER),
      float('momentum', 1e-6, 1, 0.5, scale),
    ];
    const rates = new SearchPoint(SearchSpace.fromPartial({ parameters }), shape);
    let phi: Float64Array | undefined = rates.initial;
    for (let time = 0; time < times; time++) phi = phi && rates.lowerRates(phi);
    return phi && rates.values(phi, 0).map(({ name, value }) => [name, value]);
  };

  it.each([Scale.LOG, Scale.LINEAR, Scale.LOGIT])('takes a tenth of every rate, on scale %s', (scale) => {
    expect(lowered(1e-6, scale, 1)).toEqual([
      ['lr', expect.closeTo(0.05, 9)],
      ['momentum', expect.closeTo(0.5, 9)],
    ]);
  });

  it('does so four times, and not below the lower bound', () => {
    expect(lowered(1e-6, Scale.LOGIT, 4)?.[0]).toEqual(['lr', expect.closeTo(5e-5, 9)]);
    expect(lowered(1e-6, Scale.LOGIT, 5)).toBeUndefined();
    expect(lowered(0.01, Scale.LOG, 1)?.[0]).toEqual(['lr', expect.closeTo(0.05, 9)]);
    expect(lowered(0.01, Scale.LOG, 2)).toBeUndefined();
  });

  it('is nothing where no rate is learned', () => {
    const parameters = [float('momentum', 0, 1, 0.5, Scale.LOGIT)];
    const rates = new SearchPoint(SearchSpace.fromPartial({ parameters }), shape);
    expect(rates.lowerRates(rates.initial)).toBeUndefined();
  });
});
